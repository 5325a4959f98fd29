// SPDX-License-Identifier: Apache-2.0
#include "loop/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "loop/loop_fixture.h"

namespace weft::loop {
namespace {

using namespace std::chrono_literals;

ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.argv = {"sh", "-c", script};
  return spec;
}

// A zombie that nobody reaps yet is gone, too.
bool is_gone(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  return stat.empty() || stat.find(") Z ") != std::string::npos;
}

bool is_gone_soon(pid_t pid) {
  const auto deadline = Loop::now() + 5s;
  while (!is_gone(pid) && Loop::now() < deadline) std::this_thread::yield();
  return is_gone(pid);
}

class ChildProcessTest : public LoopTest {
 protected:
  void start(const std::string& script, std::string_view input = {},
             std::size_t most_output = ChildProcess::kMostOutput) {
    auto child = ChildProcess::start(
        loop_, shell(script), input,
        [this](Result<Output> result) {
          result_.emplace(std::move(result));
          loop_.stop();
        },
        most_output);
    ASSERT_TRUE(child) << child.error().message;
    child_.emplace(std::move(*child));
    EXPECT_FALSE(result_) << "told from start()";
  }
  Output result() {
    run();
    if (!result_ || !*result_) ADD_FAILURE() << (result_ ? result_->error().message : "no result");
    return result_ && *result_ ? **result_ : Output{};
  }

  std::optional<Result<Output>> result_{};
  std::optional<ChildProcess> child_{};
};

TEST_F(ChildProcessTest, InputOutputAndStatus) {
  start("cat; echo careful >&2; exit 7", "-A FORWARD -j ACCEPT\nCOMMIT\n");
  const Output output = result();
  EXPECT_EQ(output.status, 7);
  EXPECT_EQ(output.out, "-A FORWARD -j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(output.err, "careful\n");
}

TEST_F(ChildProcessTest, MoreThanAPipeHoldsGoesThroughBothWays) {
  const std::string input(3'000'000, 'x');
  start("cat; cat /dev/zero | head -c 3000000 >&2", input);
  const Output output = result();
  EXPECT_EQ(output.out, input);
  EXPECT_EQ(output.err.size(), 3'000'000U);
}

TEST_F(ChildProcessTest, OneThatDoesNotReadItsInputHoldsUpNobody) {
  start("exec <&-; echo done", std::string(3'000'000, 'x'));
  EXPECT_EQ(result().out, "done\n");
}

TEST_F(ChildProcessTest, TheLoopGoesOnMeanwhile) {
  start("sleep 0.2");
  int ticks = 0;
  std::optional<Timer> tick;
  tick.emplace(loop_, [&] {
    ++ticks;
    tick->arm(Loop::now() + 1ms);
  });
  tick->arm(Loop::now());
  EXPECT_EQ(result().status, 0);
  EXPECT_GT(ticks, 10);
}

TEST_F(ChildProcessTest, OneThatFloodsIsKilledAndAnError) {
  start("exec yes", {}, 1'000'000);
  const pid_t pid = child_->pid();
  run();
  ASSERT_TRUE(result_ && !*result_);
  EXPECT_EQ(result_->error().message, "sh printed more than 1000000 bytes to stdout");
  EXPECT_TRUE(is_gone(pid));
}

TEST_F(ChildProcessTest, AFloodOfErrorsToo) {
  start("exec yes >&2", {}, 1000);
  run();
  ASSERT_TRUE(result_ && !*result_);
  EXPECT_EQ(result_->error().message, "sh printed more than 1000 bytes to stderr");
}

TEST_F(ChildProcessTest, WhatFitsExactlyIsNoFlood) {
  start("printf 1234567890", {}, 10);
  EXPECT_EQ(result().out, "1234567890");
}

TEST_F(ChildProcessTest, OneThatIsKilledHasTheSignalsStatus) {
  start("exec sleep 60");
  child_->kill();
  EXPECT_EQ(result().status, 128 + SIGKILL);
  child_->kill();  // of one that has ended: nothing
}

TEST_F(ChildProcessTest, AnExecThatFailsIsNamed) {
  ProcessSpec spec;
  spec.argv = {"/no/such/iptables-restore"};
  const auto child = ChildProcess::start(loop_, spec, {}, [](const Result<Output>&) { FAIL(); });
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message, "exec /no/such/iptables-restore: No such file or directory");
}

// It has a child of its own, which would hold the pipes open.
TEST_F(ChildProcessTest, ItsEndTakesItsGroupAlong) {
  start("sleep 60 & echo $!");
  const Output output = result();
  EXPECT_EQ(output.status, 0);
  EXPECT_TRUE(is_gone_soon(std::stoi(output.out))) << output.out;
}

TEST_F(ChildProcessTest, DestructionTakesItsGroupAlongAndTellsNobody) {
  start("trap '' TERM; sleep 60 & wait");
  const pid_t pid = child_->pid();
  const std::string children =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children";
  pid_t grandchild = 0;
  for (const auto deadline = Loop::now() + 5s; grandchild == 0 && Loop::now() < deadline;)
    std::ifstream(children) >> grandchild;
  ASSERT_GT(grandchild, 0);
  child_.reset();
  EXPECT_TRUE(is_gone(pid));
  EXPECT_TRUE(is_gone_soon(grandchild));
  loop_.run();
  EXPECT_FALSE(result_);
}

TEST_F(ChildProcessTest, MayBeDestroyedByItsOwnEnd) {
  auto child = ChildProcess::start(loop_, shell("true"), {}, [&](const Result<Output>& result) {
    EXPECT_TRUE(result && result->status == 0);
    child_.reset();
    loop_.stop();
  });
  ASSERT_TRUE(child);
  child_.emplace(std::move(*child));
  run();
  EXPECT_FALSE(child_);
}

TEST_F(ChildProcessTest, ManyAtOnce) {
  constexpr int kMany = 50;
  std::vector<ChildProcess> children;
  int ended = 0;
  for (int i = 0; i < kMany; ++i) {
    auto child = ChildProcess::start(loop_, shell("exit " + std::to_string(i)), {},
                                     [&, i](const Result<Output>& result) {
                                       EXPECT_TRUE(result && result->status == i);
                                       if (++ended == kMany) loop_.stop();
                                     });
    ASSERT_TRUE(child) << child.error().message;
    children.push_back(std::move(*child));
  }
  run(20s);
  EXPECT_EQ(ended, kMany);
}

}  // namespace
}  // namespace weft::loop

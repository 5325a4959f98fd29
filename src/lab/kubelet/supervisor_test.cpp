// SPDX-License-Identifier: Apache-2.0
#include "lab/kubelet/supervisor.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/temporary_directory.h"
#include "lab/kubelet/pods.h"
#include "linux/cgroup.h"
#include "linux/file.h"

namespace weft::lab {
namespace {

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() {
    record_.name = {"default", "a"};
    record_.id = "0123abcd";
    record_.node = "node1";
    record_.netns = "weft-x-node1-0123abcd";
    record_.hostname = "a";
    record_.cgroup = *cgroup2_mount() + "/weft-test-" + std::to_string(::getpid()) + "-pod";
    record_.state_file = directory_ + "/state.json";
    record_.log_file = directory_ + "/log";
  }

  void add(const std::string& script, bool init = false) {
    record_.commands.push_back(
        {"c" + std::to_string(record_.commands.size()), init, {"sh", "-c", script}, {"A=1"}, ""});
  }

  // In a process of its own, to the end.
  int supervise_record() {
    const std::string file = directory_ + "/record.json";
    EXPECT_TRUE(write_file(file, to_json(record_)).has_value());
    const pid_t child = ::fork();
    if (child == 0) ::_exit(supervise(file) ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }

  const TemporaryDirectory temporary_{};
  const std::string directory_ = temporary_.path();
  PodRecord record_{};
};

TEST_F(SupervisorTest, ARecordSurvivesAsJson) {
  add("echo \"$A\"", true);
  record_.host_network = true;
  const auto read = record_from_json(to_json(record_));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(to_json(*read), to_json(record_));
  EXPECT_FALSE(record_from_json("{}").has_value());
}

TEST_F(SupervisorTest, ExitCodeAndLogAreKept) {
  add("echo \"$A $$ $(cat /proc/sys/kernel/hostname)\"; exit 3");
  EXPECT_EQ(supervise_record(), 0);
  EXPECT_EQ(*read_file(record_.log_file), "1 1 a\n");
  const PodState state = state_of(record_);
  EXPECT_FALSE(state.running);
  EXPECT_EQ(state.exit_code, 3);
  EXPECT_EQ(state.problem, "");
}

TEST_F(SupervisorTest, InitContainersComeFirstAndMustSucceed) {
  add("echo first", true);
  add("echo second");
  EXPECT_EQ(supervise_record(), 0);
  EXPECT_EQ(*read_file(record_.log_file), "first\nsecond\n");
  record_.commands[0].argv = {"false"};
  EXPECT_EQ(supervise_record(), 1);
  EXPECT_EQ(state_of(record_).problem, "init container c0: ended with exit code 1");
}

TEST_F(SupervisorTest, WhatCannotBeExecutedIsTheProblem) {
  record_.commands.push_back({"c", false, {"/no/such/program"}, {}, ""});
  EXPECT_EQ(supervise_record(), 1);
  EXPECT_EQ(state_of(record_).problem,
            "container c: exec /no/such/program: No such file or directory");
}

TEST_F(SupervisorTest, WithoutStateAPodWasNeverStarted) {
  EXPECT_EQ(state_of(record_).problem, "it was never started");
}

}  // namespace
}  // namespace weft::lab

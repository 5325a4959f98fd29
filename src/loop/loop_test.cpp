// SPDX-License-Identifier: Apache-2.0
#include "loop/loop.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/temporary_directory.h"
#include "base/unique_fd.h"
#include "loop/directory_watch.h"
#include "loop/fd_watcher.h"
#include "loop/loop_fixture.h"
#include "loop/signal.h"
#include "loop/timer.h"

namespace weft::loop {
namespace {

using namespace std::chrono_literals;

TEST_F(LoopTest, TimerIsNeverEarlyAndFiresOnce) {
  int fired = 0;
  const auto when = Loop::now() + 7ms;
  Timer timer(loop_, [&] {
    EXPECT_GE(Loop::now(), when);
    ++fired;
  });
  timer.arm(when);
  loop_.run();  // ends by itself: nothing is left to wait for
  EXPECT_EQ(fired, 1);
}

TEST_F(LoopTest, ArmingAgainReplacesThePointAndDisarmingClearsIt) {
  std::vector<std::string> order;
  Timer first(loop_, [&] { order.emplace_back("first"); });
  Timer second(loop_, [&] { order.emplace_back("second"); });
  Timer never(loop_, [&] { order.emplace_back("never"); });
  first.arm(Loop::now());
  first.arm(Loop::now() + 20ms);
  second.arm(Loop::now() + 5ms);
  never.arm(Loop::now() + 5ms);
  never.disarm();
  loop_.run();
  EXPECT_EQ(order, (std::vector<std::string>{"second", "first"}));
}

TEST_F(LoopTest, TimerArmedFromItsOwnCallbackFiresInTheNextTurn) {
  int fired = 0;
  std::optional<Timer> timer;
  timer.emplace(loop_, [&] {
    if (++fired < 3) timer->arm(Loop::now());
  });
  timer->arm(Loop::now() - 1s);
  loop_.run();
  EXPECT_EQ(fired, 3);
}

TEST_F(LoopTest, HandleDestroyedInItsOwnCallbackIsSafe) {
  std::optional<Timer> timer;
  int fired = 0;
  const std::string captured(100, 'x');
  timer.emplace(loop_, [&timer, &fired, captured] {
    timer.reset();
    fired += captured.size() == 100 ? 1 : 0;  // the function must still be there
  });
  timer->arm(Loop::now());
  loop_.run();
  EXPECT_EQ(fired, 1);
}

TEST_F(LoopTest, EventsOfOneTurnArePassedOnAsOne) {
  std::array<int, 2> a{}, b{};
  ASSERT_EQ(::pipe2(a.data(), O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(b.data(), O_CLOEXEC), 0);
  const UniqueFd a0(a[0]), a1(a[1]), b0(b[0]), b1(b[1]);
  int passes = 0, events = 0;
  Timer pass(loop_, [&] {
    ++passes;
    loop_.stop();
  });
  const auto on_readable = [&](int fd) {
    char byte = 0;
    ASSERT_EQ(::read(fd, &byte, 1), 1);
    ++events;
    pass.arm(Loop::now());
  };
  const auto wa = FdWatcher::readable(loop_, a[0], [&] { on_readable(a[0]); });
  const auto wb = FdWatcher::readable(loop_, b[0], [&] { on_readable(b[0]); });
  ASSERT_TRUE(wa && wb);
  ASSERT_EQ(::write(a[1], "x", 1), 1);
  ASSERT_EQ(::write(b[1], "x", 1), 1);
  run();
  EXPECT_EQ(events, 2);
  EXPECT_EQ(passes, 1);
}

TEST_F(LoopTest, FdWatcherReportsWhatItIsAskedFor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  bool writable = false, readable = false;
  auto writer = FdWatcher::watch(loop_, write_end.get(), {false, true}, [&](Ready ready) {
    writable = ready.writable;
    loop_.stop();
  });
  ASSERT_TRUE(writer);
  run();
  EXPECT_TRUE(writable);
  ASSERT_TRUE(writer->set_interest({}));

  auto reader = FdWatcher::readable(loop_, read_end.get(), [&] {
    readable = true;
    loop_.stop();
  });
  ASSERT_TRUE(reader);
  *writer = std::move(*reader);  // the old watcher closes; its descriptor may go
  write_end.reset();             // hang-up counts as readable
  run();
  EXPECT_TRUE(readable);
}

TEST_F(LoopTest, WatchingABadDescriptorIsAnError) {
  const auto watcher = FdWatcher::readable(loop_, -1, [] {});
  ASSERT_FALSE(watcher);
  EXPECT_NE(watcher.error().code, 0);
}

TEST_F(LoopTest, SignalArrivesOnTheLoop) {
  int got = 0;
  const auto signal = Signal::watch(loop_, SIGUSR1, [&] {
    ++got;
    loop_.stop();
  });
  ASSERT_TRUE(signal);
  ASSERT_EQ(::raise(SIGUSR1), 0);
  run();
  EXPECT_EQ(got, 1);
}

TEST_F(LoopTest, DirectoryWatchTellsWritesRenamesAndRemovals) {
  const TemporaryDirectory directory;
  const TemporaryDirectory elsewhere;
  std::set<std::string> seen;
  std::string awaited;
  const auto watch =
      DirectoryWatch::watch(loop_, directory.path(), [&](const std::set<std::string>& names) {
        seen.insert(names.begin(), names.end());
        if (seen.contains(awaited)) loop_.stop();
      });
  ASSERT_TRUE(watch) << watch.error().message;
  const auto await = [&](const std::string& name) {
    seen.clear();
    awaited = name;
    run();
    EXPECT_TRUE(seen.contains(name)) << name;
  };

  std::ofstream(directory.path() + "/written") << "x";
  await("written");
  std::ofstream(elsewhere.path() + "/outside") << "x";
  std::filesystem::rename(elsewhere.path() + "/outside", directory.path() + "/renamed-in");
  await("renamed-in");
  std::filesystem::remove(directory.path() + "/written");
  await("written");
  std::filesystem::rename(directory.path() + "/renamed-in", elsewhere.path() + "/outside");
  await("renamed-in");
  std::filesystem::remove_all(directory.path());
  await("");
}

TEST_F(LoopTest, DirectoryWatchTellsAFileThatIsWrittenInPlaceWhenItIsClosed) {
  const TemporaryDirectory directory;
  std::set<std::string> seen;
  const auto watch =
      DirectoryWatch::watch(loop_, directory.path(), [&](const std::set<std::string>& names) {
        seen.insert(names.begin(), names.end());
        loop_.stop();
      });
  ASSERT_TRUE(watch) << watch.error().message;
  const auto told = [&] {
    run();
    return std::exchange(seen, {});
  };

  std::ofstream slow(directory.path() + "/slow");
  slow << "half" << std::flush;
  std::filesystem::create_symlink("slow", directory.path() + "/symlink");
  EXPECT_THAT(told(), testing::ElementsAre("symlink"));
  slow << "whole" << std::flush;
  std::filesystem::create_hard_link(directory.path() + "/symlink", directory.path() + "/link");
  EXPECT_THAT(told(), testing::ElementsAre("link"));
  ASSERT_EQ(::mkfifo((directory.path() + "/fifo").c_str(), 0600), 0);
  EXPECT_THAT(told(), testing::ElementsAre("fifo"));
  slow.close();
  EXPECT_THAT(told(), testing::Contains("slow"));
}

TEST_F(LoopTest, WatchesOfOneLoopShareADescriptorAndTellApart) {
  const auto inotify_descriptors = [] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      count += std::filesystem::read_symlink(entry.path(), gone) == "anon_inode:inotify";
    }
    return count;
  };
  const TemporaryDirectory one;
  const TemporaryDirectory other;
  std::vector<std::string> seen;
  const auto note = [&](const std::string& who) {
    return [&, who](const std::set<std::string>& names) {
      for (const std::string& name : names)
        seen.push_back(std::string(who).append(":").append(name));
      loop_.stop();
    };
  };
  const auto first = DirectoryWatch::watch(loop_, one.path(), note("first"));
  auto twin = std::optional(DirectoryWatch::watch(loop_, one.path(), note("twin")).value());
  const auto second = DirectoryWatch::watch(loop_, other.path(), note("second"));
  EXPECT_EQ(inotify_descriptors(), 1U);
  std::filesystem::create_directory(one.path() + "/a");
  run();
  EXPECT_THAT(seen, testing::ElementsAre("first:a", "twin:a"));
  twin.reset();  // the directory is still watched
  seen.clear();
  std::filesystem::create_directory(one.path() + "/b");
  std::filesystem::create_directory(other.path() + "/c");
  run();
  EXPECT_THAT(seen, testing::ElementsAre("first:b", "second:c"));
}

TEST_F(LoopTest, AWatchMayGoFromItsOwnCallback) {
  const TemporaryDirectory directory;
  std::optional<DirectoryWatch> watch;
  watch.emplace(DirectoryWatch::watch(loop_, directory.path(), [&](const auto&) {
                  watch.reset();
                  loop_.stop();
                }).value());
  std::filesystem::create_directory(directory.path() + "/a");
  run();
  EXPECT_FALSE(watch);
}

TEST_F(LoopTest, DirectoryThatIsNotThereIsAnErrorThatNamesIt) {
  const auto watch = DirectoryWatch::watch(loop_, "/nonexistent/weft", [](const auto&) {});
  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().message, "/nonexistent/weft: No such file or directory");
}

}  // namespace
}  // namespace weft::loop

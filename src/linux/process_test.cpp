// SPDX-License-Identifier: Apache-2.0
#include "linux/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "linux/cgroup.h"
#include "linux/netns.h"

namespace weft {
namespace {

using namespace std::chrono_literals;

ProcessSpec shell(std::string script) { return {.argv = {"sh", "-c", std::move(script)}}; }

std::string output_of(const ProcessSpec& spec, std::string_view input = {}) {
  const auto output = run_process(spec, input);
  return output ? output->out + output->err : output.error().message;
}

TEST(Process, StatusOutputAndErrorsComeBack) {
  const auto output = run_process(shell("cat; echo no >&2; exit 3"), "hello");
  ASSERT_TRUE(output.has_value()) << output.error().message;
  EXPECT_EQ(output->status, 3);
  EXPECT_EQ(output->out, "hello");
  EXPECT_EQ(output->err, "no\n");
}

TEST(Process, LargeInputAndOutputDoNotBlock) {
  const std::string large(3'000'000, 'x');
  const auto output = run_process(shell("cat; cat /dev/null"), large);
  ASSERT_TRUE(output.has_value()) << output.error().message;
  EXPECT_EQ(output->out.size(), large.size());
}

TEST(Process, EndedBySignalIsAShellsStatus) {
  EXPECT_EQ(run_process(shell("kill -TERM $$"))->status, 128 + SIGTERM);
}

TEST(Process, WhatCannotBeExecutedIsAnErrorNotAStatus) {
  const auto missing = run_process({.argv = {"/no/such/program"}});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().message, "exec /no/such/program: No such file or directory");
  const auto not_in_path = run_process({.argv = {"sh"}, .env = {"PATH=/no/such/directory"}});
  ASSERT_FALSE(not_in_path.has_value());
  EXPECT_EQ(not_in_path.error().code, ENOENT);
  EXPECT_FALSE(run_process({.argv = {"true"}, .working_directory = "/no/such"}).has_value());
  EXPECT_FALSE(run_process({.argv = {}}).has_value());
}

TEST(Process, HasOnlyTheEnvironmentAndTheDescriptorsItIsGiven) {
  const UniqueFd extra(::fcntl(STDIN_FILENO, F_DUPFD, 100));  // deliberately without O_CLOEXEC
  ASSERT_TRUE(extra);
  ProcessSpec spec = shell("echo /proc/$$/fd/*; env | grep -v -e ^PWD -e ^_ -e ^SHLVL");
  spec.env = {"A=1", "PATH=/usr/bin:/bin"};
  const std::string output = output_of(spec);
  EXPECT_EQ(output.find("/fd/" + std::to_string(extra.get())), std::string::npos) << output;
  EXPECT_NE(output.find("\nA=1\nPATH=/usr/bin:/bin\n"), std::string::npos) << output;
}

TEST(Process, SignalsAreReset) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGTERM, &ignore, &before);
  const auto output = run_process(shell("kill -TERM $$; echo survived"));
  ::sigaction(SIGTERM, &before, nullptr);
  EXPECT_EQ(output->status, 128 + SIGTERM);
}

TEST(Process, WaitEndsAtTheDeadline) {
  const auto process = start_process({.argv = {"sleep", "60"}});
  ASSERT_TRUE(process.has_value());
  EXPECT_EQ(*wait_for(*process, 1ms), std::nullopt);
  ::kill(process->pid, SIGKILL);
  EXPECT_EQ(*wait_for(*process, 10s), 128 + SIGKILL);
}

TEST(Process, NewNamespacesArePrivate) {
  ProcessSpec spec =
      shell("echo $$; hostname; touch /tmp/weft-test-private; ls /tmp; ls -d /proc/[0-9]*");
  spec.new_mount_namespace = true;
  spec.new_pid_namespace = true;
  spec.hostname = "pod-a";
  spec.tmpfs = {"/tmp"};
  const std::string output = output_of(spec);
  EXPECT_EQ(output.find("1\npod-a\nweft-test-private\n/proc/1\n"), 0U) << output;
  EXPECT_NE(::access("/tmp/weft-test-private", F_OK), 0);
}

TEST(Process, StartsInTheGivenNetworkNamespaceAndCgroup) {
  const std::string name = "weft-test-" + std::to_string(::getpid()) + "-process";
  const auto netns = create_named_netns(name);
  ASSERT_TRUE(netns.has_value()) << netns.error().message;
  const std::string cgroup = *cgroup2_mount() + "/" + name;
  ASSERT_TRUE(create_cgroup(cgroup).has_value());
  ProcessSpec spec = shell("cat /proc/self/cgroup; stat -Lc inode=%i /proc/self/ns/net");
  spec.netns = named_netns_path(name);
  spec.cgroup = cgroup;
  const std::string output = output_of(spec);
  EXPECT_NE(output.find("0::/" + name + "\n"), std::string::npos) << output;
  EXPECT_NE(output.find("inode=" + std::to_string(netns->identity()->second)), std::string::npos)
      << output;
  EXPECT_TRUE(remove_cgroup(cgroup).has_value());
  EXPECT_TRUE(remove_named_netns(name).has_value());
}

TEST(Process, EntersTheNamespacesOfAnother) {
  ProcessSpec pod = shell("echo there >/tmp/file; exec sleep 60");
  pod.new_mount_namespace = true;
  pod.new_pid_namespace = true;
  pod.hostname = "pod-b";
  pod.tmpfs = {"/tmp"};
  const auto init = start_process(pod);
  ASSERT_TRUE(init.has_value()) << init.error().message;
  ProcessSpec visitor = shell(
      "until [ -s /tmp/file ]; do :; done; cat /tmp/file; hostname; ls -d /proc/1; [ $$ -lt 100 ] "
      "&& echo small");
  visitor.namespaces_of = init->pid;
  EXPECT_EQ(output_of(visitor), "there\npod-b\n/proc/1\nsmall\n");
  // Our own children are made where they always were.
  const std::string our_pid_namespace = "/proc/" + std::to_string(::getpid()) + "/ns/pid";
  EXPECT_EQ(output_of({.argv = {"readlink", "/proc/self/ns/pid"}}),
            output_of({.argv = {"readlink", our_pid_namespace}}));
  ::kill(init->pid, SIGKILL);
  EXPECT_TRUE(wait_for(*init).has_value());
}

TEST(Cgroup, KillEndsWholeTreesAndRemoveLeavesNothing) {
  const std::string top = *cgroup2_mount() + "/weft-test-" + std::to_string(::getpid()) + "-tree";
  const std::string inner = top + "/a/b";
  ASSERT_TRUE(create_cgroup(inner).has_value());
  ProcessSpec spec = shell("sleep 60 & sleep 60 & wait");
  spec.cgroup = inner;
  const auto process = start_process(spec);
  ASSERT_TRUE(process.has_value()) << process.error().message;
  EXPECT_FALSE(cgroup_processes(top).empty());
  ASSERT_TRUE(kill_cgroup(top, 10s).has_value());
  EXPECT_TRUE(cgroup_processes(top).empty());
  EXPECT_EQ(*wait_for(*process, 10s), 128 + SIGKILL);
  EXPECT_TRUE(remove_cgroup(top).has_value());
  EXPECT_NE(::access(top.c_str(), F_OK), 0);
  EXPECT_TRUE(kill_cgroup(top, 10s).has_value());
  EXPECT_TRUE(remove_cgroup(top).has_value());
}

TEST(Cgroup, ANameCanBeUsedAgainAfterKillAndRemove) {
  const std::string cgroup =
      *cgroup2_mount() + "/weft-test-" + std::to_string(::getpid()) + "-again";
  ProcessSpec spec = shell("exit 5");
  spec.cgroup = cgroup;
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(create_cgroup(cgroup).has_value());
    const auto output = run_process(spec);
    ASSERT_TRUE(output.has_value()) << output.error().message;
    EXPECT_EQ(output->status, 5);
    ASSERT_TRUE(kill_cgroup(cgroup, 10s).has_value());
    ASSERT_TRUE(remove_cgroup(cgroup).has_value());
  }
}

}  // namespace
}  // namespace weft

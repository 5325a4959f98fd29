// SPDX-License-Identifier: Apache-2.0
#include "lab/world/nodes.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/unique_fd.h"
#include "control/unix_address.h"

namespace weft::lab {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(LabNodes, ANodeObjectAsTheApiHasIt) {
  Settings settings;
  settings.ip_family = "dual";
  const Json node = node_object(plan_node(settings, 1));
  EXPECT_EQ(node["metadata"]["labels"]["kubernetes.io/hostname"], "node1");
  EXPECT_EQ(node["spec"]["podCIDRs"], (Json{"10.244.1.0/24", "fd00:10:244:1::/64"}));
  EXPECT_EQ(node["status"]["addresses"][0],
            (Json{{"type", "InternalIP"}, {"address", "172.31.0.11"}}));
}

// Runs `test` in a thread whose /run is its own, and is gone with it.
template <class Test>
void with_own_run(Test test) {
  std::thread([&] {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("tmpfs", "/run", "tmpfs", 0, nullptr), 0);
    test();
  }).join();
}

// An agent that is there, and answers nobody.
UniqueFd hung_agent(const Lab& lab, const std::string& node) {
  const std::string cgroup = lab.names.agent_cgroup(lab.cgroup_mount, node);
  std::filesystem::create_directories(cgroup);
  std::ofstream(cgroup + "/cgroup.procs") << ::getpid();
  std::filesystem::create_directories(lab.names.node_directory(node));
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = control::unix_address(lab.names.agent_socket(node)).value();
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener.get(), 8), 0);
  return listener;
}

TEST(LabNodes, AgentsThatHangCostNoMoreThanTheTimeThereIs) {
  with_own_run([] {
    const Lab lab{.names = LabNames::for_lab("hung").value(), .cgroup_mount = "/run/cgroup"};
    std::vector<std::string> nodes;
    std::vector<UniqueFd> agents;
    for (int i = 1; i <= 10; ++i) {
      nodes.push_back(node_name(i));
      agents.push_back(hung_agent(lab, nodes.back()));
    }
    const auto began = Clock::now();
    const auto settled = wait_until_written(lab, nodes, 300ms);
    EXPECT_LT(Clock::now() - began, 3s);
    ASSERT_FALSE(settled);
    EXPECT_NE(settled.error().message.find("node1: the agent has not settled: the agent at"),
              std::string::npos)
        << settled.error().message;
  });
}

}  // namespace
}  // namespace weft::lab

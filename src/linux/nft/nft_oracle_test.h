// SPDX-License-Identifier: Apache-2.0
// nft(8) as the oracle of these tests, in a network namespace of their own.
#pragma once

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <sched.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include "base/temporary_directory.h"
#include "linux/netlink/socket.h"

namespace weft::nft {

inline void enter_new_namespace() {
  ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "needs CAP_SYS_ADMIN";
}

inline netlink::Socket open_socket() {
  auto socket = netlink::Socket::open(NETLINK_NETFILTER);
  EXPECT_TRUE(socket) << socket.error().message;
  return std::move(*socket);
}

// Runs a shell command in this thread's namespaces; what it printed, and whether it succeeded.
inline std::pair<std::string, bool> shell(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, n);
  return {output, ::pclose(pipe) == 0};
}

inline std::pair<std::string, bool> nft_load(const std::string& text) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/ruleset.nft";
  std::ofstream(path) << text;
  return shell("nft -f " + path);
}

}  // namespace weft::nft

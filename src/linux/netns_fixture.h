// SPDX-License-Identifier: Apache-2.0
//
// For tests: a network namespace without a name, in which the test's thread runs and which goes
// with it, and a shell in it, for the commands (ip, bridge, nft) that tests use as oracles.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "linux/netns.h"

namespace weft {

inline Netns fresh_netns() {
  const Netns home = Netns::current().value();
  if (::unshare(CLONE_NEWNET) != 0) std::abort();
  Netns fresh = Netns::current().value();
  if (::setns(home.fd(), CLONE_NEWNET) != 0) std::abort();
  return fresh;
}

// A path by which this process, and those it starts, can open `netns`.
inline std::string path_of(const Netns& netns) {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(netns.fd());
}

struct ShellOutput {
  int status = -1;
  std::string text{};  // stdout and stderr
};

// Runs `command` in the thread's namespace.
inline ShellOutput shell(const std::string& command) {
  ShellOutput output;
  std::FILE* pipe = ::popen(("( " + command + " ) 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> block{};
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), pipe))
    output.text.append(block.data(), got);
  output.status = ::pclose(pipe);
  return output;
}

class NetnsFixture : public testing::Test {
 protected:
  // The command's output; the test fails where the command does.
  static std::string sh(const std::string& command) {
    const ShellOutput output = shell(command);
    EXPECT_EQ(output.status, 0) << command << ": " << output.text;
    return output.text;
  }

  Netns netns_ = fresh_netns();

 private:
  NetnsGuard inside_ = NetnsGuard::enter(netns_).value();
};

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
// For tests: a server in a namespace, on a thread of its own as long as the object lives.
#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <string>
#include <thread>
#include <utility>

#include "linux/netns.h"
#include "traffic/server.h"

namespace weft::traffic {

class ServerThread {
 public:
  ServerThread(const Netns& netns, std::string name, std::uint16_t port)
      : server_(opened(netns, std::move(name), port)) {}
  ServerThread(const ServerThread&) = delete;
  ServerThread& operator=(const ServerThread&) = delete;
  ~ServerThread() {
    ::eventfd_write(stop_.get(), 1);
    thread_.join();
  }

 private:
  static Server opened(const Netns& netns, std::string name, std::uint16_t port) {
    const NetnsGuard inside = NetnsGuard::enter(netns).value();
    return Server::open(std::move(name), port).value();
  }

  Server server_;
  const UniqueFd stop_{::eventfd(0, EFD_CLOEXEC)};
  std::thread thread_{[this] { EXPECT_TRUE(server_.serve(stop_.get())); }};
};

}  // namespace weft::traffic

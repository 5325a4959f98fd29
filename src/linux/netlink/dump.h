// SPDX-License-Identifier: Apache-2.0
//
// A dump under way, for who must not wait for all of it: the kernel makes the next part (up to 32
// kB) as the one before is read (netlink_dump in net/netlink/af_netlink.c), so that between two
// parts other work can be done, for as long as it takes.
//
// A socket has one dump at a time, and it must be read to its end: the kernel refuses another
// (EBUSY). One that nobody wants any more ends with its socket.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "linux/netlink/socket.h"

namespace weft::netlink {

class Dump {
 public:
  // Sends the batch's single request with NLM_F_DUMP. `socket` outlives the dump.
  static Result<Dump> start(Socket& socket, Batch& request);

  // Calls `each` for every message of the next part; true once it was the last. An error ends it.
  Result<bool> next(const std::function<void(const MessageView&)>& each);

  // The kernel says that something changed between two parts (NLM_F_DUMP_INTR). What that is worth
  // depends on the table: a list is dumped by index, and one that got shorter has moved.
  bool interrupted() const { return interrupted_; }
  // A part was larger than our buffer, which has grown: what came is not all.
  bool torn() const { return torn_; }

 private:
  Dump(Socket& socket, std::uint16_t type, std::uint32_t sequence)
      : socket_(&socket), type_(type), sequence_(sequence) {}

  Socket* socket_;
  std::uint16_t type_;
  std::uint32_t sequence_;
  bool interrupted_ = false;
  bool torn_ = false;
};

}  // namespace weft::netlink

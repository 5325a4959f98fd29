// SPDX-License-Identifier: Apache-2.0
//
// The other end of a probe: tells every client who answered and whom it saw, over TCP and UDP, both
// IP families: "<name> <client address>\n". A path is right when the right server answers and sees
// the right client. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace weft::traffic {

class Server {
 public:
  // In the thread's namespace. From here on nobody is refused.
  static Result<Server> open(std::string name, std::uint16_t port);

  // Answers until there is something to read from `stop`; -1: until the process ends.
  Result<> serve(int stop = -1) const;

 private:
  Server(std::string name, UniqueFd listener, UniqueFd datagrams);

  std::string name_;
  UniqueFd listener_;
  UniqueFd datagrams_;
};

}  // namespace weft::traffic

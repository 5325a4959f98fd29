// SPDX-License-Identifier: Apache-2.0
//
// The kernel's verdict on a request: an NLMSG_ERROR (0 is an acknowledgement), with the extended
// ack that says in words what was wrong. Source: Documentation/userspace-api/netlink/intro.rst,
// struct nlmsgerr and enum nlmsgerr_attrs in include/uapi/linux/netlink.h.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "linux/netlink/message.h"

namespace weft::netlink {

struct Verdict {
  std::uint32_t sequence = 0;  // of the request
  int code = 0;                // errno; 0 = done
  std::string text{};          // the kernel's words; often none
};

Verdict verdict_of(const MessageView& error);      // an NLMSG_ERROR
Verdict verdict_of_dump(const MessageView& done);  // an NLMSG_DONE

// "RTM_NEWLINK: File exists (the kernel's words)". `type` is the request's.
Error to_error(int protocol, std::uint16_t type, const Verdict& verdict);

}  // namespace weft::netlink

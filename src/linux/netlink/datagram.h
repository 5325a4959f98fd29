// SPDX-License-Identifier: Apache-2.0
// The system calls under Socket and Listener: opening a netlink socket and reading one datagram.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "linux/netlink/message.h"

namespace weft::netlink {

// Bound, in the thread's network namespace; buffers in bytes (less without privileges). Extended
// acks on; on NETLINK_ROUTE dump requests are checked strictly, which makes their filters work.
Result<UniqueFd> open_datagram(int protocol, int send_buffer, int receive_buffer);

Result<std::uint32_t> port_id_of(int fd);

// Calls `each` for every message of the next datagram; never waits. False when none is there.
// Errors: ENOBUFS (the kernel dropped some), EMSGSIZE (the datagram was larger than `buffer`, which
// has grown; the datagram is lost).
Result<bool> receive_datagram(int fd, std::vector<std::uint8_t>& buffer,
                              const std::function<void(const MessageView&)>& each);

// Calls `each` for every whole message in `bytes`; stops at a malformed one.
void split_messages(Bytes bytes, const std::function<void(const MessageView&)>& each);

}  // namespace weft::netlink

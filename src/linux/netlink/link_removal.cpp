// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/link_removal.h"

#include <linux/close_range.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "base/unique_fd.h"
#include "linux/netlink/link.h"

namespace weft::netlink {
namespace {

// What a caller waits for (the end of our output, a lock) must not wait for us.
void keep_only(int fd) {
  const auto kept = static_cast<unsigned>(fd);
  if (kept > 0) ::syscall(SYS_close_range, 0U, kept - 1, 0U);
  ::syscall(SYS_close_range, kept + 1, ~0U, 0U);
}

// A child that sends the request; readable once it has ended. It does not read the answer: that
// comes to the socket, which is ours too.
Result<UniqueFd> start_sender(int socket, Bytes request) {
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("fork");
  if (child == 0) {
    keep_only(socket);
    (void)::send(socket, request.data(), request.size(), 0);
    ::_exit(0);
  }
  UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (!ended) return fail_errno("open process");
  return ended;
}

Result<> subscribe_to_links(int socket) {
  const int group = RTNLGRP_LINK;
  if (::setsockopt(socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
    return fail_errno("subscribe to links");
  return {};
}

}  // namespace

Result<> remove_link(Socket& socket, std::uint32_t index) {
  WEFT_TRY(subscribe_to_links(socket.fd()));
  Batch removal;
  put_link_removal(removal, index);
  const Result<UniqueFd> sender = start_sender(socket.fd(), removal.bytes());
  while (sender) {
    std::array<pollfd, 2> ready = {pollfd{socket.fd(), POLLIN, 0},
                                   pollfd{sender->get(), POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return fail_errno("poll");
    if (ready[1].revents != 0) break;
    // The kernel tells of the link before it is through with the other end. Asking needs the lock
    // that it holds so long.
    WEFT_ASSIGN(const std::optional<Link> link, find_link(socket, index));
    if (!link) return {};
  }
  // No child could be had, or it has ended: this says what is the matter, if anything is.
  Result<> removed = socket.run(removal);
  if (!removed && removed.error().code == ENODEV) return {};
  return removed;
}

}  // namespace weft::netlink

// SPDX-License-Identifier: Apache-2.0
#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <cstddef>

#include "linux/netlink/datagram.h"
#include "linux/netlink/socket.h"
#include "linux/netns.h"

namespace weft::netlink {

namespace {

constexpr int kReceiveBuffer = 8 << 20;
// Then the event loop has its turn; the socket stays readable.
constexpr int kDatagramsAtOnce = 1'000;

// Drops messages whose nlmsg_pid is one of `own`. The load converts to host order what nlmsg_pid
// already is, hence the swap.
Result<> ignore_senders(int fd, std::span<const std::uint32_t> own) {
  assert(own.size() < 250);  // a jump reaches 255 instructions
  std::vector<sock_filter> code;
  code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(nlmsghdr, nlmsg_pid)));
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto to_drop = static_cast<std::uint8_t>(own.size() - i);
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __builtin_bswap32(own[i]), to_drop, 0));
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, 0xffffffff));
  code.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
    return fail_errno("filter netlink notifications");
  return {};
}

}  // namespace

Result<Listener> Listener::open(int protocol, const Netns& netns,
                                std::span<const std::uint32_t> groups,
                                std::span<const std::uint32_t> own) {
  WEFT_ASSIGN(const NetnsGuard inside, NetnsGuard::enter(netns));
  Listener listener;
  WEFT_ASSIGN(listener.fd_, open_datagram(protocol, 0, kReceiveBuffer));
  const int fd = listener.fd_.get();
  if (!own.empty()) WEFT_TRY(ignore_senders(fd, own));
  for (const std::uint32_t group : groups)
    if (::setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
      return fail_errno("join netlink group " + std::to_string(group));
  return listener;
}

Result<Listener::Received> Listener::receive(const std::function<void(const MessageView&)>& each) {
  Received received;
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    const auto more = receive_datagram(fd_.get(), buffer_, each);
    if (!more && (more.error().code == ENOBUFS || more.error().code == EMSGSIZE))
      received.lost = true;
    else if (!more)
      return Failure(more.error());
    else if (!*more) {
      received.all = true;
      return received;
    }
  }
  return received;
}

}  // namespace weft::netlink

// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/datagram.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace weft::netlink {

namespace {

// A dump fills 32 kB at a time; a link with many virtual functions may take more.
constexpr std::size_t kBuffer = std::size_t{64} << 10;

void set_option(int fd, int level, int option, int value) {
  (void)::setsockopt(fd, level, option, &value, sizeof value);
}

void set_buffer(int fd, int forced, int limited, int bytes) {
  if (::setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0)
    set_option(fd, SOL_SOCKET, limited, bytes);
}

}  // namespace

Result<UniqueFd> open_datagram(int protocol, int send_buffer, int receive_buffer) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!fd) return fail_errno("open netlink socket");
  set_buffer(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF, send_buffer);
  set_buffer(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer);
  set_option(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, 1);
  set_option(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, 1);
  if (protocol == NETLINK_ROUTE) set_option(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  sockaddr_nl us{};
  us.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&us), sizeof us) != 0)
    return fail_errno("bind netlink socket");
  return fd;
}

Result<std::uint32_t> port_id_of(int fd) {
  sockaddr_nl us{};
  socklen_t length = sizeof us;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&us), &length) != 0)
    return fail_errno("read netlink socket's port id");
  return us.nl_pid;
}

Result<bool> receive_datagram(int fd, std::vector<std::uint8_t>& buffer,
                              const std::function<void(const MessageView&)>& each) {
  if (buffer.empty()) buffer.resize(kBuffer);
  sockaddr_nl from{};
  socklen_t length = sizeof from;
  ssize_t received = -1;
  do {
    received = ::recvfrom(fd, buffer.data(), buffer.size(), MSG_TRUNC,
                          reinterpret_cast<sockaddr*>(&from), &length);
  } while (received < 0 && errno == EINTR);
  if (received < 0 && errno == EAGAIN) return false;
  if (received < 0) return fail_errno("receive from netlink");
  const auto size = static_cast<std::size_t>(received);
  if (size > buffer.size()) {
    buffer.resize(size);
    return fail_errno("receive from netlink", EMSGSIZE);
  }
  if (from.nl_pid == 0) split_messages(Bytes(buffer).first(size), each);  // 0 is the kernel
  return true;
}

void split_messages(Bytes bytes, const std::function<void(const MessageView&)>& each) {
  while (bytes.size() >= NLMSG_HDRLEN) {
    const std::size_t length = load<nlmsghdr>(bytes).nlmsg_len;
    if (length < NLMSG_HDRLEN || length > bytes.size()) return;
    each(MessageView(bytes.first(length)));
    bytes = bytes.subspan(std::min<std::size_t>(bytes.size(), NLMSG_ALIGN(length)));
  }
}

}  // namespace weft::netlink

// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/socket.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "linux/netlink/datagram.h"
#include "linux/netlink/dump.h"
#include "linux/netlink/extended_ack.h"
#include "linux/netns.h"

namespace weft::netlink {

namespace {

// A batch is one datagram, and must fit in the send buffer: 100,000 nft elements are 5 MB.
constexpr int kSendBuffer = 16 << 20;
constexpr int kReceiveBuffer = 8 << 20;
// An acknowledgement takes some 1.3 kB of receive buffer: this many fit where privileges do not
// allow a large one.
constexpr std::size_t kRequestsAtOnce = 128;
constexpr int kDumpAttempts = 20;

}  // namespace

Result<Socket> Socket::open(int protocol) {
  Socket socket;
  socket.protocol_ = protocol;
  WEFT_ASSIGN(socket.fd_, open_datagram(protocol, kSendBuffer, kReceiveBuffer));
  WEFT_ASSIGN(socket.port_id_, port_id_of(socket.fd_.get()));
  return socket;
}

Result<Socket> Socket::open(int protocol, const Netns& netns) {
  WEFT_ASSIGN(const NetnsGuard inside, NetnsGuard::enter(netns));
  return open(protocol);
}

Result<Netns> Socket::netns() const { return Netns::of_socket(fd_.get()); }

std::uint32_t Socket::number(Batch& batch) {
  const std::uint32_t first = sequence_ + 1;
  for (std::size_t i = 0; i < batch.count(); ++i) batch.header(i).nlmsg_seq = ++sequence_;
  return first;
}

Result<> Socket::send(Bytes bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  for (;;) {
    if (::sendto(fd_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&kernel),
                 sizeof kernel) >= 0)
      return {};
    if (errno != EINTR) return fail_errno("send to netlink");
  }
}

Result<bool> Socket::receive(const std::function<void(const MessageView&)>& each) {
  return receive_datagram(fd_.get(), buffer_, each);
}

Result<std::vector<Refusal>> Socket::execute(Batch& batch) {
  std::vector<Refusal> refusals;
  for (std::size_t i = 0; i < batch.count(); ++i) batch.header(i).nlmsg_flags |= NLM_F_ACK;
  number(batch);
  for (std::size_t first = 0; first < batch.count(); first += kRequestsAtOnce) {
    const std::size_t last = std::min(batch.count(), first + kRequestsAtOnce);
    WEFT_TRY(execute_part(batch, first, last, refusals));
  }
  return refusals;
}

Result<> Socket::execute_part(const Batch& batch, std::size_t first, std::size_t last,
                              std::vector<Refusal>& refusals) {
  WEFT_TRY(send(batch.bytes(first, last)));
  const std::uint32_t base = batch.header(first).nlmsg_seq;
  std::size_t open = last - first;
  while (open > 0) {
    WEFT_ASSIGN(const bool more, receive([&](const MessageView& message) {
                  if (message.type() != NLMSG_ERROR) return;
                  const Verdict verdict = verdict_of(message);
                  const std::size_t index = first + std::uint32_t(verdict.sequence - base);
                  if (index >= last) return;  // answers an earlier request
                  --open;
                  if (verdict.code != 0)
                    refusals.push_back(
                        {index, to_error(protocol_, batch.header(index).nlmsg_type, verdict)});
                }));
    if (!more) return fail("netlink: the kernel left requests unanswered");
  }
  return {};
}

Result<> Socket::run(Batch& batch) {
  WEFT_ASSIGN(std::vector<Refusal> refusals, execute(batch));
  if (!refusals.empty()) return Failure(std::move(refusals.front().error));
  return {};
}

Result<std::vector<Refusal>> Socket::commit(Batch& batch) {
  const std::uint32_t base = number(batch);
  WEFT_TRY(send(batch.bytes()));
  std::vector<Refusal> refusals;
  bool acknowledged = false;
  const auto take = [&](const MessageView& message) {
    if (message.type() != NLMSG_ERROR) return;
    const Verdict verdict = verdict_of(message);
    const std::size_t index = std::uint32_t(verdict.sequence - base);
    if (index >= batch.count()) return;
    if (verdict.code == 0)
      acknowledged = true;
    else
      refusals.push_back({index, to_error(protocol_, batch.header(index).nlmsg_type, verdict)});
  };
  // A batch with a great many refusals may overflow our buffer (ENOBUFS): those that are there do.
  for (;;) {
    const auto more = receive(std::cref(take));
    if (!more && more.error().code != ENOBUFS) return Failure(more.error());
    if (more && !*more) break;
  }
  if (refusals.empty() && !acknowledged)
    return fail("netlink: the kernel did not acknowledge the batch");
  return refusals;
}

Result<> Socket::dump(Batch& request, const std::function<void(const MessageView&)>& each,
                      const std::function<void()>& restart) {
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    if (attempt > 0) restart();
    WEFT_ASSIGN(Dump dump, Dump::start(*this, request));
    for (bool last = false; !last;) {
      WEFT_ASSIGN(last, dump.next(each));
    }
    if (!dump.interrupted() && !dump.torn()) return {};
  }
  return fail(
      "netlink: the table changed during each of " + std::to_string(kDumpAttempts) + " dumps",
      EINTR);
}

Result<> Socket::get(Batch& request, const std::function<void(const MessageView&)>& each) {
  assert(request.count() == 1);
  request.header(0).nlmsg_flags |= NLM_F_ACK;
  const std::uint32_t sequence = number(request);
  WEFT_TRY(send(request.bytes()));
  bool done = false;
  Verdict verdict;
  while (!done) {
    WEFT_ASSIGN(const bool more, receive([&](const MessageView& message) {
                  if (message.header().nlmsg_seq != sequence) return;
                  if (message.type() == NLMSG_ERROR) {
                    done = true;
                    verdict = verdict_of(message);
                  } else {
                    each(message);
                  }
                }));
    if (!more) return fail("netlink: the kernel left a request unanswered");
  }
  if (verdict.code != 0) return Failure(to_error(protocol_, request.header(0).nlmsg_type, verdict));
  return {};
}

}  // namespace weft::netlink

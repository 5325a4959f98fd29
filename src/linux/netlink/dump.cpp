// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/dump.h"

#include <cassert>
#include <cerrno>

#include "linux/netlink/extended_ack.h"

namespace weft::netlink {

Result<Dump> Dump::start(Socket& socket, Batch& request) {
  assert(request.count() == 1);
  request.header(0).nlmsg_flags |= NLM_F_DUMP;
  const std::uint32_t sequence = socket.number(request);
  WEFT_TRY(socket.send(request.bytes()));
  return Dump(socket, request.header(0).nlmsg_type, sequence);
}

Result<bool> Dump::next(const std::function<void(const MessageView&)>& each) {
  bool done = false;
  Verdict verdict;
  const auto more = socket_->receive([&](const MessageView& message) {
    if (message.header().nlmsg_seq != sequence_) return;
    if ((message.header().nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
    done = message.type() == NLMSG_DONE || message.type() == NLMSG_ERROR;
    if (message.type() == NLMSG_DONE) verdict = verdict_of_dump(message);
    if (message.type() == NLMSG_ERROR) verdict = verdict_of(message);
    if (!done) each(message);
  });
  if (!more && more.error().code == EMSGSIZE)
    torn_ = true;
  else if (!more)
    return Failure(more.error());
  else if (!*more)
    return fail("netlink: a dump ended early");
  if (verdict.code == EINTR)
    interrupted_ = true;
  else if (verdict.code != 0)
    return Failure(to_error(socket_->protocol_, type_, verdict));
  return done;
}

}  // namespace weft::netlink

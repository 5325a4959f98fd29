// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/extended_ack.h"

#include <system_error>

#include "linux/netlink/message_name.h"

namespace weft::netlink {

namespace {

Bytes from(Bytes bytes, std::size_t offset) {
  return offset < bytes.size() ? bytes.subspan(offset) : Bytes{};
}

std::string words(Bytes attributes) {
  std::string text;
  std::string missing;
  for (const Attribute attribute : Attributes(attributes)) {
    if (attribute.type() == NLMSGERR_ATTR_MSG) text = attribute.text();
    if (attribute.type() == NLMSGERR_ATTR_MISS_TYPE)
      missing = "attribute " + std::to_string(attribute.u32()) + " is missing";
  }
  return text.empty() ? missing : text;
}

}  // namespace

Verdict verdict_of(const MessageView& error) {
  const auto body = error.body<nlmsgerr>();
  Verdict verdict{error.header().nlmsg_seq, -body.error, {}};
  if ((error.header().nlmsg_flags & NLM_F_ACK_TLVS) == 0) return verdict;
  std::size_t before = sizeof(nlmsgerr);
  // Unless capped, the whole request lies between.
  if ((error.header().nlmsg_flags & NLM_F_CAPPED) == 0 && body.msg.nlmsg_len > NLMSG_HDRLEN)
    before += NLMSG_ALIGN(body.msg.nlmsg_len) - NLMSG_HDRLEN;
  verdict.text = words(from(error.payload(), before));
  return verdict;
}

Verdict verdict_of_dump(const MessageView& done) {
  Verdict verdict{done.header().nlmsg_seq, 0, {}};
  if (const int code = done.body<int>(); code < 0) verdict.code = -code;
  if ((done.header().nlmsg_flags & NLM_F_ACK_TLVS) != 0)
    verdict.text = words(from(done.payload(), sizeof(int)));
  return verdict;
}

Error to_error(int protocol, std::uint16_t type, const Verdict& verdict) {
  std::string message = message_name(protocol, type);
  message.append(": ").append(std::generic_category().message(verdict.code));
  if (!verdict.text.empty()) message.append(" (").append(verdict.text).append(")");
  return {std::move(message), verdict.code};
}

}  // namespace weft::netlink

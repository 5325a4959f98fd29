// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/conntrack.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cerrno>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "linux/netlink/family.h"

namespace weft::netlink {

namespace {

using Protocol = std::pair<IpFamily, std::uint8_t>;

// Backends by destination; without any, every one matches.
using Wanted = std::map<Endpoint, std::set<std::optional<Endpoint>>>;

struct Tuple {
  std::uint8_t protocol = 0;
  Endpoint source{};
  Endpoint destination{};
};

struct Entry {
  std::uint8_t family = 0;
  Tuple original{};
  Tuple reply{};
  // As received, to name exactly this entry in its removal; good as long as the message is.
  Bytes original_bytes{};
  Bytes id{};
  Bytes zone{};
};

// The dump's filter, told the kernel by bits that its uapi headers do not name
// (net/netfilter/nf_internals.h).
constexpr std::uint32_t kFilterDestinationAddress = 1U << 1;
constexpr std::uint32_t kFilterProtocol = 1U << 3;
constexpr std::uint32_t kFilterDestinationPort = 1U << 5;

constexpr std::uint16_t message_type(int message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | message);
}

Tuple parse_tuple(const Attribute& tuple) {
  Tuple parsed;
  for (const Attribute part : nested(tuple)) {
    if (part.type() != CTA_TUPLE_IP && part.type() != CTA_TUPLE_PROTO) continue;
    const bool ip = part.type() == CTA_TUPLE_IP;
    for (const Attribute field : nested(part)) {
      const std::uint16_t type = field.type();
      if (ip && (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC))
        parsed.source.address = field.address();
      if (ip && (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST))
        parsed.destination.address = field.address();
      if (!ip && type == CTA_PROTO_NUM) parsed.protocol = field.u8();
      if (!ip && type == CTA_PROTO_SRC_PORT) parsed.source.port = field.be16();
      if (!ip && type == CTA_PROTO_DST_PORT) parsed.destination.port = field.be16();
    }
  }
  return parsed;
}

Entry parse_entry(const MessageView& message) {
  Entry entry;
  entry.family = message.body<nfgenmsg>().nfgen_family;
  for (const Attribute attribute : message.attributes<nfgenmsg>()) {
    switch (attribute.type()) {
      case CTA_TUPLE_ORIG:
        entry.original = parse_tuple(attribute);
        entry.original_bytes = attribute.payload();
        break;
      case CTA_TUPLE_REPLY:
        entry.reply = parse_tuple(attribute);
        break;
      case CTA_ID:
        entry.id = attribute.payload();
        break;
      case CTA_ZONE:
        entry.zone = attribute.payload();
        break;
      default:
        break;
    }
  }
  return entry;
}

bool matches(const Entry& entry, const Wanted& wanted) {
  const auto found = wanted.find(entry.original.destination);
  return found != wanted.end() &&
         (found->second.contains(std::nullopt) || found->second.contains(entry.reply.source));
}

// `destination`: where there is only one, the kernel looks for it; for IPv6 by port only, because
// its comparison of addresses is inverted (ctnetlink_filter_match_tuple, 5.8 to 6.18).
void put_dump(Batch& batch, const Protocol& protocol, const Endpoint* destination) {
  std::uint32_t flags = kFilterProtocol;
  Message message = batch.add(message_type(IPCTNL_MSG_CT_GET), 0);
  message.header(nfgenmsg{family_number(protocol.first), NFNETLINK_V0, 0});
  message.nest(CTA_TUPLE_ORIG, [&] {
    message.nest(CTA_TUPLE_IP, [&] {
      if (destination == nullptr || destination->address.is_v6()) return;
      flags |= kFilterDestinationAddress;
      message.address(CTA_IP_V4_DST, destination->address);
    });
    message.nest(CTA_TUPLE_PROTO, [&] {
      message.u8(CTA_PROTO_NUM, protocol.second);
      if (destination == nullptr) return;
      flags |= kFilterDestinationPort;
      message.be16(CTA_PROTO_DST_PORT, destination->port);
    });
  });
  message.nest(CTA_FILTER,
               [&] { message.u32(CTA_FILTER_ORIG_FLAGS, flags).u32(CTA_FILTER_REPLY_FLAGS, 0); });
}

void put_removal(Batch& batch, const Entry& entry) {
  Message message = batch.add(message_type(IPCTNL_MSG_CT_DELETE), 0);
  message.header(nfgenmsg{entry.family, NFNETLINK_V0, 0})
      .attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, entry.original_bytes);
  if (!entry.zone.empty()) message.attribute(CTA_ZONE, entry.zone);
  if (!entry.id.empty()) message.attribute(CTA_ID, entry.id);
}

Result<std::size_t> delete_of(Socket& socket, const Protocol& protocol, const Wanted& wanted) {
  Batch request;
  put_dump(request, protocol, wanted.size() == 1 ? &wanted.begin()->first : nullptr);
  Batch removals;
  const auto take = [&](const MessageView& message) {
    const Entry entry = parse_entry(message);
    if (entry.original.protocol == protocol.second && matches(entry, wanted))
      put_removal(removals, entry);
  };
  WEFT_TRY(socket.dump(request, take, [&] { removals.clear(); }));
  WEFT_ASSIGN(const std::vector<Refusal> refusals, socket.execute(removals));
  for (const Refusal& refusal : refusals)
    if (refusal.error.code != ENOENT) return Failure(refusal.error);
  return removals.count() - refusals.size();
}

}  // namespace

Result<std::size_t> delete_conntrack(Socket& socket, std::span<const ConntrackMatch> matches) {
  std::map<Protocol, Wanted> by_protocol;
  for (const ConntrackMatch& match : matches)
    by_protocol[{match.destination.address.family(), match.protocol}][match.destination].insert(
        match.backend);
  std::size_t deleted = 0;
  for (const auto& [protocol, wanted] : by_protocol) {
    WEFT_ASSIGN(const std::size_t count, delete_of(socket, protocol, wanted), "conntrack");
    deleted += count;
  }
  return deleted;
}

}  // namespace weft::netlink

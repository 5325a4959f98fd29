// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/rule.h"

#include <linux/fib_rules.h>

#include "linux/netlink/family.h"

namespace weft::netlink {

namespace {

void put(Message message, const Rule& rule) {
  const RuleSelector& selector = rule.selector;
  fib_rule_hdr header{};
  header.family = family_number(selector.family);
  header.action = FR_ACT_TO_TBL;
  if (selector.source) header.src_len = selector.source->length;
  if (selector.destination) header.dst_len = selector.destination->length;
  if (selector.invert) header.flags |= FIB_RULE_INVERT;
  message.header(header)
      .u32(FRA_PRIORITY, selector.priority)
      .u32(FRA_TABLE, rule.table)
      .u8(FRA_PROTOCOL, rule.protocol);
  if (selector.source) message.address(FRA_SRC, selector.source->address);
  if (selector.destination) message.address(FRA_DST, selector.destination->address);
  if (selector.mask != 0) message.u32(FRA_FWMARK, selector.mark).u32(FRA_FWMASK, selector.mask);
  if (!selector.in_link.empty()) message.text(FRA_IIFNAME, selector.in_link);
  if (!selector.out_link.empty()) message.text(FRA_OIFNAME, selector.out_link);
}

}  // namespace

void put_rule(Batch& batch, const Rule& rule) {
  put(batch.add(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL), rule);
}

void put_rule_removal(Batch& batch, const Rule& rule) { put(batch.add(RTM_DELRULE, 0), rule); }

Result<std::vector<Rule>> list_rules(Socket& socket, IpFamily family) {
  fib_rule_hdr header{};
  header.family = family_number(family);
  Batch request;
  request.add(RTM_GETRULE, 0).header(header);
  std::vector<Rule> rules;
  const auto take = [&](const MessageView& message) {
    if (message.body<fib_rule_hdr>().action == FR_ACT_TO_TBL) rules.push_back(parse_rule(message));
  };
  WEFT_TRY(socket.dump(request, take, [&] { rules.clear(); }));
  return rules;
}

Rule parse_rule(const MessageView& message) {
  const auto header = message.body<fib_rule_hdr>();
  Rule rule;
  RuleSelector& selector = rule.selector;
  selector.family = header.family == AF_INET6 ? IpFamily::kIpv6 : IpFamily::kIpv4;
  rule.table = header.table;
  selector.invert = (header.flags & FIB_RULE_INVERT) != 0;
  rule.protocol = RTPROT_UNSPEC;
  for (const Attribute attribute : message.attributes<fib_rule_hdr>()) {
    switch (attribute.type()) {
      case FRA_PRIORITY:
        selector.priority = attribute.u32();
        break;
      case FRA_TABLE:
        rule.table = attribute.u32();
        break;
      case FRA_PROTOCOL:
        rule.protocol = attribute.u8();
        break;
      case FRA_SRC:
        selector.source = Prefix{attribute.address(), header.src_len};
        break;
      case FRA_DST:
        selector.destination = Prefix{attribute.address(), header.dst_len};
        break;
      case FRA_FWMARK:
        selector.mark = attribute.u32();
        break;
      case FRA_FWMASK:
        selector.mask = attribute.u32();
        break;
      case FRA_IIFNAME:
        selector.in_link = attribute.text();
        break;
      case FRA_OIFNAME:
        selector.out_link = attribute.text();
        break;
      default:
        break;
    }
  }
  return rule;
}

}  // namespace weft::netlink

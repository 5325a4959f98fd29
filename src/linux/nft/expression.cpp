// SPDX-License-Identifier: Apache-2.0
// The expressions' encodings.
#include "linux/nft/expression.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

namespace weft::nft {

namespace {

// A register as the kernel dumps it: the four 16-byte ones have the numbers 1 to 4
// (nft_dump_register, net/netfilter/nf_tables_api.c).
constexpr std::uint32_t on_the_wire(Register number) {
  return (number - NFT_REG32_00) % 4 == 0 ? NFT_REG_1 + (number - NFT_REG32_00) / 4 : number;
}

}  // namespace

RuleBuilder::RuleBuilder(IpFamily family) : family_(family), message_(batch_.add(0, 0)) {}

Rule RuleBuilder::rule(std::string_view comment) const {
  constexpr std::size_t kLongestComment = 127;
  Rule rule;
  const Bytes bytes = batch_.bytes().subspan(NLMSG_HDRLEN);
  rule.expressions_.assign(bytes.begin(), bytes.end());
  rule.comment_ = comment.substr(0, kLongestComment);
  return rule;
}

template <class Fill>
RuleBuilder& RuleBuilder::expression(std::string_view name, Fill fill) {
  message_.nest(NFTA_LIST_ELEM, [&] {
    message_.text(NFTA_EXPR_NAME, name);
    message_.nest(NFTA_EXPR_DATA, fill);
  });
  return *this;
}

// ---- Statements

RuleBuilder& RuleBuilder::counter() {
  return expression("counter",
                    [&] { message_.be64(NFTA_COUNTER_BYTES, 0).be64(NFTA_COUNTER_PACKETS, 0); });
}

RuleBuilder& RuleBuilder::masquerade() {
  return expression("masq",
                    [&] { message_.be32(NFTA_MASQ_FLAGS, NF_NAT_RANGE_PROTO_RANDOM_FULLY); });
}

RuleBuilder& RuleBuilder::reject_with_reset() {
  return expression("reject", [&] { message_.be32(NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST); });
}
RuleBuilder& RuleBuilder::reject() {
  const std::uint8_t port_unreachable = family_ == IpFamily::kIpv4 ? 3 : 4;  // RFC 792, RFC 4443
  return expression("reject", [&] {
    message_.be32(NFTA_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH)
        .u8(NFTA_REJECT_ICMP_CODE, port_unreachable);
  });
}

// ---- Expressions

RuleBuilder& RuleBuilder::payload(std::uint32_t base, std::uint32_t offset, std::uint32_t length,
                                  Register to) {
  return expression("payload", [&] {
    message_.be32(NFTA_PAYLOAD_DREG, on_the_wire(to))
        .be32(NFTA_PAYLOAD_BASE, base)
        .be32(NFTA_PAYLOAD_OFFSET, offset)
        .be32(NFTA_PAYLOAD_LEN, length);
  });
}

RuleBuilder& RuleBuilder::meta(std::uint32_t key, Register to) {
  return expression(
      "meta", [&] { message_.be32(NFTA_META_KEY, key).be32(NFTA_META_DREG, on_the_wire(to)); });
}

RuleBuilder& RuleBuilder::ct(std::uint32_t key, Register to) {
  return expression("ct",
                    [&] { message_.be32(NFTA_CT_DREG, on_the_wire(to)).be32(NFTA_CT_KEY, key); });
}

RuleBuilder& RuleBuilder::ct(std::uint32_t key, std::uint8_t direction, Register to) {
  return expression("ct", [&] {
    message_.be32(NFTA_CT_DREG, on_the_wire(to))
        .be32(NFTA_CT_KEY, key)
        .u8(NFTA_CT_DIRECTION, direction);
  });
}

RuleBuilder& RuleBuilder::numgen(std::uint32_t type, std::uint32_t modulus, Register to) {
  return expression("numgen", [&] {
    message_.be32(NFTA_NG_DREG, on_the_wire(to))
        .be32(NFTA_NG_MODULUS, modulus)
        .be32(NFTA_NG_TYPE, type)
        .be32(NFTA_NG_OFFSET, 0);
  });
}

RuleBuilder& RuleBuilder::cmp(std::uint32_t operation, Register from, Bytes value) {
  return expression("cmp", [&] {
    message_.be32(NFTA_CMP_SREG, on_the_wire(from)).be32(NFTA_CMP_OP, operation);
    message_.nest(NFTA_CMP_DATA, [&] { message_.attribute(NFTA_DATA_VALUE, value); });
  });
}

RuleBuilder& RuleBuilder::bitwise(Register from, Register to, Bytes mask, Bytes exclusive_or) {
  return expression("bitwise", [&] {
    message_.be32(NFTA_BITWISE_SREG, on_the_wire(from))
        .be32(NFTA_BITWISE_DREG, on_the_wire(to))
        .be32(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(mask.size()))
        .be32(NFTA_BITWISE_OP, NFT_BITWISE_BOOL);
    message_.nest(NFTA_BITWISE_MASK, [&] { message_.attribute(NFTA_DATA_VALUE, mask); });
    message_.nest(NFTA_BITWISE_XOR, [&] { message_.attribute(NFTA_DATA_VALUE, exclusive_or); });
  });
}

RuleBuilder& RuleBuilder::immediate(Register to, Bytes value) {
  return expression("immediate", [&] {
    message_.be32(NFTA_IMMEDIATE_DREG, on_the_wire(to));
    message_.nest(NFTA_IMMEDIATE_DATA, [&] { message_.attribute(NFTA_DATA_VALUE, value); });
  });
}

RuleBuilder& RuleBuilder::verdict(std::int32_t code, std::string_view chain) {
  return expression("immediate", [&] {
    message_.be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    message_.nest(NFTA_IMMEDIATE_DATA, [&] {
      message_.nest(NFTA_DATA_VERDICT, [&] {
        message_.be32(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
        if (!chain.empty()) message_.text(NFTA_VERDICT_CHAIN, chain);
      });
    });
  });
}

RuleBuilder& RuleBuilder::lookup(std::string_view set, Register from, bool inverted) {
  return expression("lookup", [&] {
    message_.text(NFTA_LOOKUP_SET, set)
        .be32(NFTA_LOOKUP_SREG, on_the_wire(from))
        .be32(NFTA_LOOKUP_FLAGS, static_cast<std::uint32_t>(inverted ? NFT_LOOKUP_F_INV : 0));
  });
}

RuleBuilder& RuleBuilder::lookup_data(std::string_view map, Register from, Register to) {
  return expression("lookup", [&] {
    message_.text(NFTA_LOOKUP_SET, map)
        .be32(NFTA_LOOKUP_SREG, on_the_wire(from))
        .be32(NFTA_LOOKUP_DREG, on_the_wire(to))
        .be32(NFTA_LOOKUP_FLAGS, 0);
  });
}

RuleBuilder& RuleBuilder::lookup_verdict(std::string_view map, Register from) {
  return expression("lookup", [&] {
    message_.text(NFTA_LOOKUP_SET, map)
        .be32(NFTA_LOOKUP_SREG, on_the_wire(from))
        .be32(NFTA_LOOKUP_DREG, NFT_REG_VERDICT)
        .be32(NFTA_LOOKUP_FLAGS, 0);
  });
}

RuleBuilder& RuleBuilder::dynset(std::uint32_t operation, std::string_view set, Register key,
                                 Register data, std::chrono::milliseconds timeout) {
  return expression("dynset", [&] {
    message_.be32(NFTA_DYNSET_SREG_KEY, on_the_wire(key));
    if (data != 0) message_.be32(NFTA_DYNSET_SREG_DATA, on_the_wire(data));
    message_.be32(NFTA_DYNSET_OP, operation).text(NFTA_DYNSET_SET_NAME, set);
    if (timeout.count() > 0)
      message_.be64(NFTA_DYNSET_TIMEOUT, static_cast<std::uint64_t>(timeout.count()));
  });
}

RuleBuilder& RuleBuilder::nat(std::uint32_t type, Register address, Register port) {
  const std::uint32_t flags =
      (address != 0 ? NF_NAT_RANGE_MAP_IPS : 0U) | (port != 0 ? NF_NAT_RANGE_PROTO_SPECIFIED : 0U);
  return expression("nat", [&] {
    message_.be32(NFTA_NAT_TYPE, type)
        .be32(NFTA_NAT_FAMILY, family_ == IpFamily::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    if (address != 0)
      message_.be32(NFTA_NAT_REG_ADDR_MIN, on_the_wire(address))
          .be32(NFTA_NAT_REG_ADDR_MAX, on_the_wire(address));
    if (port != 0)
      message_.be32(NFTA_NAT_REG_PROTO_MIN, on_the_wire(port))
          .be32(NFTA_NAT_REG_PROTO_MAX, on_the_wire(port));
    message_.be32(NFTA_NAT_FLAGS, flags);
  });
}

}  // namespace weft::nft

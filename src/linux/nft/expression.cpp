// SPDX-License-Identifier: Apache-2.0
#include "linux/nft/expression.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <cassert>

namespace weft::nft {

namespace {

constexpr std::size_t kInterfaceNameLength = 16;  // IFNAMSIZ

// A register as the kernel dumps it: the four 16-byte ones have the numbers 1 to 4
// (nft_dump_register, net/netfilter/nf_tables_api.c).
constexpr std::uint32_t on_the_wire(Register number) {
  return (number - NFT_REG32_00) % 4 == 0 ? NFT_REG_1 + (number - NFT_REG32_00) / 4 : number;
}

std::uint32_t address_length(IpFamily family) { return address_type(family).length; }

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

Register RuleBuilder::take(std::uint32_t length) {
  const Register at = next_;
  next_ += registers_for(length);
  assert(next_ <= kRegisterEnd);
  return at;
}

Register RuleBuilder::start_key() {
  assert(next_ != kFirstRegister);
  next_ = kFirstRegister;
  data_ = 0;
  return kFirstRegister;
}

// ---- Fields

RuleBuilder& RuleBuilder::source_address() {
  const std::uint32_t length = address_length(family_);
  return payload(NFT_PAYLOAD_NETWORK_HEADER, family_ == IpFamily::kIpv4 ? 12 : 8, length,
                 take(length));
}

RuleBuilder& RuleBuilder::destination_address() {
  const std::uint32_t length = address_length(family_);
  return payload(NFT_PAYLOAD_NETWORK_HEADER, family_ == IpFamily::kIpv4 ? 16 : 24, length,
                 take(length));
}

RuleBuilder& RuleBuilder::source_port() {
  return payload(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, take(2));
}
RuleBuilder& RuleBuilder::destination_port() {
  return payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, take(2));
}

RuleBuilder& RuleBuilder::protocol() { return meta(NFT_META_L4PROTO, take(1)); }
RuleBuilder& RuleBuilder::nf_protocol() { return meta(NFT_META_NFPROTO, take(1)); }
RuleBuilder& RuleBuilder::mark() { return meta(NFT_META_MARK, take(4)); }
RuleBuilder& RuleBuilder::input_interface() {
  return meta(NFT_META_IIFNAME, take(kInterfaceNameLength));
}
RuleBuilder& RuleBuilder::output_interface() {
  return meta(NFT_META_OIFNAME, take(kInterfaceNameLength));
}

RuleBuilder& RuleBuilder::conntrack_state() { return ct(NFT_CT_STATE, take(4)); }
RuleBuilder& RuleBuilder::conntrack_status() { return ct(NFT_CT_STATUS, take(4)); }
RuleBuilder& RuleBuilder::conntrack_direction() { return ct(NFT_CT_DIRECTION, take(1)); }
RuleBuilder& RuleBuilder::conntrack_mark() { return ct(NFT_CT_MARK, take(4)); }

RuleBuilder& RuleBuilder::original_source() {
  return ct(family_ == IpFamily::kIpv4 ? NFT_CT_SRC_IP : NFT_CT_SRC_IP6, IP_CT_DIR_ORIGINAL,
            take(address_length(family_)));
}
RuleBuilder& RuleBuilder::original_destination() {
  return ct(family_ == IpFamily::kIpv4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6, IP_CT_DIR_ORIGINAL,
            take(address_length(family_)));
}
RuleBuilder& RuleBuilder::original_destination_port() {
  return ct(NFT_CT_PROTO_DST, IP_CT_DIR_ORIGINAL, take(2));
}
RuleBuilder& RuleBuilder::reply_source() {
  return ct(family_ == IpFamily::kIpv4 ? NFT_CT_SRC_IP : NFT_CT_SRC_IP6, IP_CT_DIR_REPLY,
            take(address_length(family_)));
}
RuleBuilder& RuleBuilder::reply_destination() {
  return ct(family_ == IpFamily::kIpv4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6, IP_CT_DIR_REPLY,
            take(address_length(family_)));
}

RuleBuilder& RuleBuilder::source_type() {
  return fib(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_SADDR, take(4));
}
RuleBuilder& RuleBuilder::destination_type() {
  return fib(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR, take(4));
}
RuleBuilder& RuleBuilder::random(std::uint32_t modulus) {
  return numgen(NFT_NG_RANDOM, modulus, take(4));
}

RuleBuilder& RuleBuilder::frontend() { return destination_address().protocol().destination_port(); }
RuleBuilder& RuleBuilder::original_frontend() {
  return original_destination().protocol().original_destination_port();
}
RuleBuilder& RuleBuilder::backend() { return destination_address().destination_port(); }

// ---- Tests

RuleBuilder& RuleBuilder::in_set(std::string_view set) { return lookup(set, start_key(), false); }
RuleBuilder& RuleBuilder::not_in_set(std::string_view set) {
  return lookup(set, start_key(), true);
}

RuleBuilder& RuleBuilder::compare(std::uint32_t operation, Bytes value) {
  return cmp(operation, start_key(), value);
}
RuleBuilder& RuleBuilder::equals(Bytes value) { return compare(NFT_CMP_EQ, value); }
RuleBuilder& RuleBuilder::not_equals(Bytes value) { return compare(NFT_CMP_NEQ, value); }

RuleBuilder& RuleBuilder::masked(Bytes mask, std::uint32_t operation, Bytes value) {
  const std::array<std::uint8_t, 16> zero{};
  const Register key = start_key();
  bitwise(key, key, mask, Bytes(zero).first(mask.size()));
  return cmp(operation, key, value);
}
RuleBuilder& RuleBuilder::has_any(std::uint32_t bits) {
  const std::uint32_t none = 0;
  return masked(bytes_of(bits), NFT_CMP_NEQ, bytes_of(none));
}
RuleBuilder& RuleBuilder::has_none(std::uint32_t bits) {
  const std::uint32_t none = 0;
  return masked(bytes_of(bits), NFT_CMP_EQ, bytes_of(none));
}
RuleBuilder& RuleBuilder::has_all(std::uint32_t bits) {
  return masked(bytes_of(bits), NFT_CMP_EQ, bytes_of(bits));
}

namespace {
std::vector<std::uint8_t> netmask(const Prefix& prefix) {
  std::vector<std::uint8_t> mask(prefix.address.bytes().size());
  for (std::size_t bit = 0; bit < prefix.length; ++bit)
    mask[bit / 8] = static_cast<std::uint8_t>(mask[bit / 8] | 0x80 >> bit % 8);
  return mask;
}
}  // namespace

RuleBuilder& RuleBuilder::in_prefix(const Prefix& prefix) {
  return masked(netmask(prefix), NFT_CMP_EQ, prefix.network().address.bytes());
}
RuleBuilder& RuleBuilder::not_in_prefix(const Prefix& prefix) {
  return masked(netmask(prefix), NFT_CMP_NEQ, prefix.network().address.bytes());
}

RuleBuilder& RuleBuilder::protocol_is(std::uint8_t number) {
  return protocol().equals(bytes_of(number));
}
RuleBuilder& RuleBuilder::family_is(IpFamily family) {
  const std::uint8_t number = family == IpFamily::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
  return nf_protocol().equals(bytes_of(number));
}

// A whole name is compared with all its 16 bytes; "veth*" with what stands before the star.
RuleBuilder& RuleBuilder::interface_is(std::uint32_t key, std::uint32_t operation,
                                       std::string_view name) {
  std::array<std::uint8_t, kInterfaceNameLength> bytes{};
  const bool prefix = name.ends_with('*');
  if (prefix) name.remove_suffix(1);
  assert(name.size() < bytes.size());
  std::copy(name.begin(), name.end(), bytes.begin());
  meta(key, take(kInterfaceNameLength));
  return compare(operation, Bytes(bytes).first(prefix ? name.size() : bytes.size()));
}
RuleBuilder& RuleBuilder::input_interface_is(std::string_view name) {
  return interface_is(NFT_META_IIFNAME, NFT_CMP_EQ, name);
}
RuleBuilder& RuleBuilder::output_interface_is(std::string_view name) {
  return interface_is(NFT_META_OIFNAME, NFT_CMP_EQ, name);
}
RuleBuilder& RuleBuilder::input_interface_is_not(std::string_view name) {
  return interface_is(NFT_META_IIFNAME, NFT_CMP_NEQ, name);
}
RuleBuilder& RuleBuilder::output_interface_is_not(std::string_view name) {
  return interface_is(NFT_META_OIFNAME, NFT_CMP_NEQ, name);
}

// ---- What the key leads to

RuleBuilder& RuleBuilder::verdict_map(std::string_view map) {
  return lookup_verdict(map, start_key());
}

RuleBuilder& RuleBuilder::dnat_by_map(std::string_view map) {
  const Register key = start_key();
  lookup_data(map, key, key);
  return nat(NFT_NAT_DNAT, key, key + registers_for(address_length(family_)));
}

RuleBuilder& RuleBuilder::data() {
  data_ = next_;
  return *this;
}

RuleBuilder& RuleBuilder::update(std::string_view map, std::chrono::seconds timeout) {
  const Register data = data_;
  return dynset(NFT_DYNSET_OP_UPDATE, map, start_key(), data, timeout);
}

RuleBuilder& RuleBuilder::remove(std::string_view map) {
  const Register data = data_;
  return dynset(NFT_DYNSET_OP_DELETE, map, start_key(), data, {});
}

// ---- Statements

RuleBuilder& RuleBuilder::counter() {
  return expression("counter",
                    [&] { message_.be64(NFTA_COUNTER_BYTES, 0).be64(NFTA_COUNTER_PACKETS, 0); });
}

RuleBuilder& RuleBuilder::accept() { return verdict(NF_ACCEPT); }
RuleBuilder& RuleBuilder::drop() { return verdict(NF_DROP); }
RuleBuilder& RuleBuilder::return_to_caller() { return verdict(NFT_RETURN); }
RuleBuilder& RuleBuilder::jump(std::string_view chain) { return verdict(NFT_JUMP, chain); }
RuleBuilder& RuleBuilder::go_to(std::string_view chain) { return verdict(NFT_GOTO, chain); }

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
RuleBuilder& RuleBuilder::reject_any_family() {
  return expression("reject", [&] {
    message_.be32(NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH)
        .u8(NFTA_REJECT_ICMP_CODE, NFT_REJECT_ICMPX_PORT_UNREACH);
  });
}

RuleBuilder& RuleBuilder::dnat_to(const IpAddress& address, std::uint16_t port) {
  const Register at = kFirstRegister;
  const Register port_at = at + registers_for(address_length(family_));
  immediate(at, address.bytes()).immediate(port_at, bytes_of(to_be(port)));
  return nat(NFT_NAT_DNAT, at, port_at);
}
RuleBuilder& RuleBuilder::snat_to(const IpAddress& address) {
  return immediate(kFirstRegister, address.bytes()).nat(NFT_NAT_SNAT, kFirstRegister, 0);
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

RuleBuilder& RuleBuilder::fib(std::uint32_t result, std::uint32_t flags, Register to) {
  return expression("fib", [&] {
    message_.be32(NFTA_FIB_DREG, on_the_wire(to))
        .be32(NFTA_FIB_RESULT, result)
        .be32(NFTA_FIB_FLAGS, flags);
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

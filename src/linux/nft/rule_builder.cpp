// SPDX-License-Identifier: Apache-2.0
// The words rules are written in: fields that become keys, and what is done with them.
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "linux/nft/expression.h"

namespace weft::nft {

namespace {

std::uint32_t address_length(IpFamily family) { return address_type(family).length; }

std::vector<std::uint8_t> netmask(const Prefix& prefix) {
  std::vector<std::uint8_t> mask(prefix.address.bytes().size());
  for (std::size_t bit = 0; bit < prefix.length; ++bit)
    mask[bit / 8] = static_cast<std::uint8_t>(mask[bit / 8] | 0x80 >> bit % 8);
  return mask;
}

}  // namespace

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

RuleBuilder& RuleBuilder::destination_port() {
  return payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, take(2));
}

RuleBuilder& RuleBuilder::protocol() { return meta(NFT_META_L4PROTO, take(1)); }

RuleBuilder& RuleBuilder::conntrack_state() { return ct(NFT_CT_STATE, take(4)); }
RuleBuilder& RuleBuilder::conntrack_status() { return ct(NFT_CT_STATUS, take(4)); }

RuleBuilder& RuleBuilder::original_destination() {
  return ct(family_ == IpFamily::kIpv4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6, IP_CT_DIR_ORIGINAL,
            take(address_length(family_)));
}
RuleBuilder& RuleBuilder::original_destination_port() {
  return ct(NFT_CT_PROTO_DST, IP_CT_DIR_ORIGINAL, take(2));
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
RuleBuilder& RuleBuilder::has_none(std::uint32_t bits) {
  const std::uint32_t none = 0;
  return masked(bytes_of(bits), NFT_CMP_EQ, bytes_of(none));
}
RuleBuilder& RuleBuilder::has_all(std::uint32_t bits) {
  return masked(bytes_of(bits), NFT_CMP_EQ, bytes_of(bits));
}

RuleBuilder& RuleBuilder::in_prefix(const Prefix& prefix) {
  return masked(netmask(prefix), NFT_CMP_EQ, prefix.network().address.bytes());
}
RuleBuilder& RuleBuilder::not_in_prefix(const Prefix& prefix) {
  return masked(netmask(prefix), NFT_CMP_NEQ, prefix.network().address.bytes());
}

RuleBuilder& RuleBuilder::protocol_is(std::uint8_t number) {
  return protocol().equals(bytes_of(number));
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

RuleBuilder& RuleBuilder::accept() { return verdict(NF_ACCEPT); }
RuleBuilder& RuleBuilder::drop() { return verdict(NF_DROP); }
RuleBuilder& RuleBuilder::return_to_caller() { return verdict(NFT_RETURN); }
RuleBuilder& RuleBuilder::jump(std::string_view chain) { return verdict(NFT_JUMP, chain); }
RuleBuilder& RuleBuilder::go_to(std::string_view chain) { return verdict(NFT_GOTO, chain); }

}  // namespace weft::nft

// SPDX-License-Identifier: Apache-2.0
//
// nf_tables expressions and rules as plain data, encoded once into the bytes the kernel takes
// (NFTA_RULE_EXPRESSIONS; include/uapi/linux/netfilter/nf_tables.h).
//
// A rule reads almost as nft(8) writes it: fields in a row are loaded into consecutive 4-byte
// registers and so make a concatenated key, which a test or a lookup then uses up:
//
//   RuleBuilder rule(IpFamily::kIpv4);
//   rule.source_address().not_in_set("pod-cidrs").frontend().verdict_map("services-external");
//   // ip saddr != @pod-cidrs  ip daddr . meta l4proto . th dport vmap @services-external
//
// The attributes and their values are those the kernel reads back, so that a rule of ours compares
// equal with what a dump shows (include/net/netfilter/nf_tables.h, net/netfilter/nft_*.c).
//
// Never feed a map's data into another lookup: the kernel takes it, but nft(8) 1.0.6 then aborts on
// every listing. One map, then dnat or snat, is fine.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "linux/netlink/message.h"

namespace weft::nft {

// What nft(8) calls a field's type: its number for NFTA_SET_KEY_TYPE, and its length in bytes.
// Numbers are nft's own (enum datatypes, include/datatype.h of nftables); the kernel only stores
// them, `nft list` needs them.
struct FieldType {
  std::uint32_t number = 0;
  std::uint32_t length = 0;
  bool operator==(const FieldType&) const = default;
};

// Has no size to nft(8): a set with it needs typeof_userdata, or `nft list` aborts.
inline constexpr FieldType kInteger{4, 4};
inline constexpr FieldType kIpv4Address{7, 4};
inline constexpr FieldType kIpv6Address{8, 16};
inline constexpr FieldType kInetProtocol{12, 1};
inline constexpr FieldType kInetService{13, 2};
inline constexpr FieldType kMark{19, 4};
inline constexpr FieldType kInterfaceName{41, 16};

constexpr FieldType address_type(IpFamily family) {
  return family == IpFamily::kIpv4 ? kIpv4Address : kIpv6Address;
}

// A rule: its expressions as the kernel takes them (a list of NFTA_LIST_ELEM), and an optional
// comment.
class Rule {
 public:
  Rule() = default;
  static Rule from_kernel(Bytes expressions, std::string comment);

  Bytes expressions() const { return expressions_; }
  const std::string& comment() const { return comment_; }
  // The same expressions in the same order, and every attribute of ours reads back the same in
  // `actual`. Attributes the kernel adds are passed over where they say nothing (zero), and so are
  // a counter's figures. Comments count.
  bool matches(const Rule& actual) const;
  // "payload(network 16 4 → r1) lookup(services r1 → verdict) …", for people.
  std::string to_string() const;

 private:
  friend class RuleBuilder;
  std::vector<std::uint8_t> expressions_{};
  std::string comment_{};
};

// Registers are the 4-byte ones, NFT_REG32_00 (8) to NFT_REG32_15 (23).
using Register = std::uint32_t;
inline constexpr Register kFirstRegister = 8;
inline constexpr Register kRegisterEnd = 24;

// How many registers a value of `length` bytes takes.
constexpr Register registers_for(std::uint32_t length) { return (length + 3) / 4; }

// Appends expressions. A chain of calls is one rule, read from left to right; `family` says whose
// addresses the address fields are.
class RuleBuilder {
 public:
  explicit RuleBuilder(IpFamily family);
  RuleBuilder(const RuleBuilder&) = delete;
  RuleBuilder& operator=(const RuleBuilder&) = delete;

  // ---- Fields. Each goes into the registers behind the field before it: a row of them is a key.
  RuleBuilder& source_address();               // ip saddr, ip6 saddr
  RuleBuilder& destination_address();          // ip daddr, ip6 daddr
  RuleBuilder& destination_port();             // th dport
  RuleBuilder& protocol();                     // meta l4proto
  RuleBuilder& conntrack_state();              // ct state; host order
  RuleBuilder& conntrack_status();             // ct status; host order
  RuleBuilder& original_destination();         // ct original ip daddr
  RuleBuilder& original_destination_port();    // ct original proto-dst
  RuleBuilder& random(std::uint32_t modulus);  // numgen random mod N; host order
  RuleBuilder& frontend();                     // ip daddr . meta l4proto . th dport
  RuleBuilder& original_frontend();  // ct original ip daddr . meta l4proto . ct original proto-dst
  RuleBuilder& backend();            // ip daddr . th dport

  // ---- Tests of the key, which use it up: the next field starts a new one. A set is no map here:
  // older kernels (6.1) do not look for a mere key in one.
  RuleBuilder& in_set(std::string_view set);
  RuleBuilder& not_in_set(std::string_view set);
  RuleBuilder& equals(Bytes value);  // of a single field, in its own byte order
  RuleBuilder& not_equals(Bytes value);
  RuleBuilder& equals(std::uint32_t host) { return equals(bytes_of(host)); }
  RuleBuilder& not_equals(std::uint32_t host) { return not_equals(bytes_of(host)); }
  RuleBuilder& has_none(std::uint32_t bits);     // (host-order field & bits) == 0
  RuleBuilder& has_all(std::uint32_t bits);      // (host-order field & bits) == bits
  RuleBuilder& in_prefix(const Prefix& prefix);  // of a single address field
  RuleBuilder& not_in_prefix(const Prefix& prefix);

  // ---- Composite tests.
  RuleBuilder& protocol_is(std::uint8_t number);  // meta l4proto tcp

  // ---- What the key leads to.
  RuleBuilder& verdict_map(std::string_view map);  // vmap @map
  // dnat to the address and port that `map` has for the key (dnat ip to KEY map @map). nat chains.
  RuleBuilder& dnat_by_map(std::string_view map);
  // update @map { KEY timeout T : DATA } and delete @map { KEY : DATA }: the data are the fields
  // loaded since data(). A delete needs them too, though it does not look at them.
  RuleBuilder& data();
  RuleBuilder& update(std::string_view map, std::chrono::seconds timeout);
  RuleBuilder& remove(std::string_view map);

  // ---- Statements.
  RuleBuilder& counter();
  RuleBuilder& accept();
  RuleBuilder& drop();
  RuleBuilder& return_to_caller();
  RuleBuilder& jump(std::string_view chain);
  RuleBuilder& go_to(std::string_view chain);
  RuleBuilder& masquerade();         // fully random ports
  RuleBuilder& reject_with_reset();  // tcp reset; after protocol_is(IPPROTO_TCP)
  RuleBuilder& reject();             // ICMP port unreachable, of the rule's family

  // ---- The expressions themselves, for whatever the words above do not say. Registers explicit.
  RuleBuilder& payload(std::uint32_t base, std::uint32_t offset, std::uint32_t length, Register to);
  RuleBuilder& meta(std::uint32_t key, Register to);
  RuleBuilder& ct(std::uint32_t key, Register to);
  RuleBuilder& ct(std::uint32_t key, std::uint8_t direction, Register to);  // IP_CT_DIR_ORIGINAL …
  RuleBuilder& numgen(std::uint32_t type, std::uint32_t modulus, Register to);
  RuleBuilder& cmp(std::uint32_t operation, Register from, Bytes value);
  RuleBuilder& bitwise(Register from, Register to, Bytes mask, Bytes exclusive_or);
  RuleBuilder& immediate(Register to, Bytes value);
  RuleBuilder& verdict(std::int32_t code, std::string_view chain = {});
  RuleBuilder& lookup(std::string_view set, Register from, bool inverted);
  RuleBuilder& lookup_data(std::string_view map, Register from, Register to);
  RuleBuilder& lookup_verdict(std::string_view map, Register from);
  RuleBuilder& dynset(std::uint32_t operation, std::string_view set, Register key, Register data,
                      std::chrono::milliseconds timeout);  // data 0: none; timeout 0: the set's
  // address or port 0: not given.
  RuleBuilder& nat(std::uint32_t type, Register address, Register port);

  // The rule so far, with a comment that `nft list` shows (at most 127 bytes; longer is cut).
  Rule rule(std::string_view comment = {}) const;

 private:
  template <class Fill>
  RuleBuilder& expression(std::string_view name, Fill fill);
  RuleBuilder& masked(Bytes mask, std::uint32_t operation, Bytes value);
  RuleBuilder& compare(std::uint32_t operation, Bytes value);
  Register take(std::uint32_t length);  // registers for the next field
  Register start_key();                 // of the key there is, which is then used up

  IpFamily family_;
  netlink::Batch batch_{};
  netlink::Message message_;
  Register next_ = kFirstRegister;
  Register data_ = 0;  // where data() was called; 0 = nowhere
};

}  // namespace weft::nft

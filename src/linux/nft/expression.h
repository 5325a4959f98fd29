// SPDX-License-Identifier: Apache-2.0
//
// nf_tables expressions and rules as plain data, encoded once into the bytes the kernel takes
// (NFTA_RULE_EXPRESSIONS; include/uapi/linux/netfilter/nf_tables.h). A rule is built by appending
// expressions; registers are the 4-byte ones (NFT_REG32_00 = 8 … NFT_REG32_15 = 23).
//
// Two rules are the same when every attribute we set reads back with the same value: the kernel may
// add attributes of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace weft::nft {

// What nft(8) calls a field's type: its number for NFTA_SET_KEY_TYPE, and its length in bytes.
// Numbers are nft's own (src/datatype.c of nftables: TYPE_IPADDR 7, TYPE_IP6ADDR 8, TYPE_INET_PROTOCOL 12,
// TYPE_INET_SERVICE 13, TYPE_INTEGER 4); the kernel only stores them, `nft list` needs them.
struct FieldType {
  std::uint32_t number = 0;
  std::uint32_t length = 0;
  bool operator==(const FieldType&) const = default;
};

inline constexpr FieldType kInteger{4, 4};
inline constexpr FieldType kIpv4Address{7, 4};
inline constexpr FieldType kIpv6Address{8, 16};
inline constexpr FieldType kInetProtocol{12, 1};
inline constexpr FieldType kInetService{13, 2};

constexpr FieldType address_type(IpFamily family) {
  return family == IpFamily::kIpv4 ? kIpv4Address : kIpv6Address;
}

// A rule: its expressions as the kernel takes them (a list of NFTA_LIST_ELEM), and an optional comment.
class Rule {
 public:
  Rule() = default;
  static Rule from_kernel(Bytes expressions, std::string comment);

  Bytes expressions() const { return expressions_; }
  const std::string& comment() const { return comment_; }
  // Every attribute of ours reads back the same in `actual`.
  bool matches(const Rule& actual) const;
  // "payload(nh,16,4)→8 cmp(8 == 0a000001) …", for people.
  std::string to_string() const;

 private:
  friend class RuleBuilder;
  std::vector<std::uint8_t> expressions_{};
  std::string comment_{};
};

}  // namespace weft::nft

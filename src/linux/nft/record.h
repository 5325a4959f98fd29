// SPDX-License-Identifier: Apache-2.0
//
// What a dump or a notification of nf_tables says of a table, chain, rule or set, as plain data.
// Source: include/uapi/linux/netfilter/nf_tables.h; net/netfilter/nf_tables_api.c
// (nf_tables_fill_*_info).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "linux/netlink/message.h"
#include "linux/nft/object.h"

namespace weft::nft {

struct TableRecord {
  std::uint8_t family = 0;  // NFPROTO_IPV4 …
  std::string name{};
  std::uint32_t flags = 0;  // NFT_TABLE_F_DORMANT …
};

struct ChainRecord {
  std::string table{};
  std::string name{};
  Chain chain{};           // without its rules
  bool anonymous = false;  // made with the rule that jumps to it; comes and goes with that
};

struct RuleRecord {
  std::string chain{};
  Rule rule{};
  std::uint64_t handle = 0;
};

struct SetRecord {
  std::string name{};
  Set set{};
  bool anonymous = false;                // belongs to a rule
  std::optional<std::uint32_t> count{};  // of its elements; kernels before 6.17 do not say
};

TableRecord parse_table(const netlink::MessageView& message);
ChainRecord parse_chain(const netlink::MessageView& message);
RuleRecord parse_rule(const netlink::MessageView& message);
SetRecord parse_set(const netlink::MessageView& message);

}  // namespace weft::nft

// SPDX-License-Identifier: Apache-2.0
// nf_tables chains and sets as plain data: what a batch creates and a dump reads back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "linux/nft/expression.h"

namespace weft::nft {

struct Hook {              // a base chain's
  std::string type{};      // "filter", "nat", "route"
  std::uint32_t hook = 0;  // NF_INET_PRE_ROUTING, …
  std::int32_t priority = 0;
  std::uint32_t policy = 1;  // NF_ACCEPT, or NF_DROP (0)
  bool operator==(const Hook&) const = default;
};

struct Chain {
  using Hook = nft::Hook;
  std::optional<Hook> hook{};
  std::vector<Rule> rules{};
};

// A set, a map (data, or verdict_map) or a verdict map.
struct Set {
  // NFT_SET_INTERVAL, NFT_SET_TIMEOUT, NFT_SET_EVAL. NFT_SET_MAP and NFT_SET_CONCAT follow from the
  // fields and need not be given.
  std::uint32_t flags = 0;
  std::vector<FieldType> key{};   // one or, concatenated, several fields
  std::vector<FieldType> data{};  // of a map; empty for a verdict map and a set
  bool verdict_map = false;
  std::uint32_t size = 0;          // 0 = no limit
  bool packet_path_fills = false;  // dynamic (NFT_SET_EVAL): its elements are not ours to compare
  std::string typeof_userdata{};   // what `nft list` needs to print a typeof set (set_userdata)
};

// The flags as the kernel holds them.
std::uint32_t kernel_flags(const Set& set);
bool is_interval(const Set& set);      // NFT_SET_INTERVAL, with one field or several
bool is_concatenated(const Set& set);  // several key fields
// Bytes in registers: each field of several is padded to four.
std::uint32_t length_of(const std::vector<FieldType>& fields);
// nft's type number: the fields' numbers, six bits each, the first in the highest.
std::uint32_t type_number(const std::vector<FieldType>& fields);
// The way back. A type we do not know takes what the others leave of `length`.
std::vector<FieldType> fields_of(std::uint32_t number, std::uint32_t length);

// The same type, flags and limit: what cannot be changed once a set is there.
bool same_definition(const Set& desired, const Set& actual);

}  // namespace weft::nft

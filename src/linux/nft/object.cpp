// SPDX-License-Identifier: Apache-2.0
#include "linux/nft/object.h"

#include <linux/netfilter/nf_tables.h>

#include <algorithm>

namespace weft::nft {

namespace {

constexpr std::uint32_t kTypeBits = 6;  // TYPE_BITS, include/datatype.h of nftables
constexpr FieldType kKnown[] = {kInteger,     kIpv4Address, kIpv6Address,  kInetProtocol,
                                kInetService, kMark,        kInterfaceName};
constexpr std::uint32_t kComparedFlags = NFT_SET_CONSTANT | NFT_SET_INTERVAL | NFT_SET_MAP |
                                         NFT_SET_TIMEOUT | NFT_SET_EVAL | NFT_SET_CONCAT;

std::uint32_t padded(std::uint32_t length) { return (length + 3) & ~3U; }

}  // namespace

bool is_interval(const Set& set) { return (set.flags & NFT_SET_INTERVAL) != 0; }
bool is_concatenated(const Set& set) { return set.key.size() > 1; }

std::uint32_t kernel_flags(const Set& set) {
  std::uint32_t flags = set.flags;
  if (set.verdict_map || !set.data.empty()) flags |= NFT_SET_MAP;
  if (set.packet_path_fills) flags |= NFT_SET_EVAL;
  if (is_interval(set) && is_concatenated(set)) flags |= NFT_SET_CONCAT;
  return flags;
}

std::uint32_t length_of(const std::vector<FieldType>& fields) {
  if (fields.size() == 1) return fields.front().length;
  std::uint32_t length = 0;
  for (const FieldType& field : fields) length += padded(field.length);
  return length;
}

std::uint32_t type_number(const std::vector<FieldType>& fields) {
  std::uint32_t number = 0;
  for (const FieldType& field : fields) number = number << kTypeBits | field.number;
  return number;
}

std::vector<FieldType> fields_of(std::uint32_t number, std::uint32_t length) {
  std::vector<FieldType> fields;
  FieldType* unknown = nullptr;
  for (; number != 0; number >>= kTypeBits)
    fields.insert(fields.begin(), {number & ((1U << kTypeBits) - 1), 0});
  for (FieldType& field : fields) {
    const auto* known =
        std::find_if(std::begin(kKnown), std::end(kKnown),
                     [&](const FieldType& type) { return type.number == field.number; });
    if (known != std::end(kKnown))
      field.length = known->length;
    else
      unknown = &field;
  }
  if (unknown != nullptr) {
    const std::uint32_t others = length_of(fields);
    unknown->length = length > others ? length - others : 0;
  }
  return fields;
}

bool same_definition(const Set& desired, const Set& actual) {
  return ((kernel_flags(desired) ^ kernel_flags(actual)) & kComparedFlags) == 0 &&
         type_number(desired.key) == type_number(actual.key) &&
         length_of(desired.key) == length_of(actual.key) &&
         desired.verdict_map == actual.verdict_map &&
         type_number(desired.data) == type_number(actual.data) &&
         length_of(desired.data) == length_of(actual.data) &&
         (desired.size == 0 || desired.size == actual.size);
}

}  // namespace weft::nft

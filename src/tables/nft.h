// SPDX-License-Identifier: Apache-2.0
//
// The nft kind: tables, chains with their rules, sets and maps, and their elements, all of one kind
// because one batch must carry them (the kernel commits it whole or not at all).
//
// An element's key is small and flat: there may be 100,000s. The object's name is interned, so a
// key is a pointer and up to 48 bytes: the set's key as the kernel takes it (each field padded to
// four bytes, network order; numgen's is host order).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "linux/nft/expression.h"

namespace weft::tables {

enum class NftType : std::uint8_t { kTable, kChain, kSet };

// A table, chain, set or map by name. `family` is NFPROTO_IPV4 or NFPROTO_IPV6 (or NFPROTO_INET …).
struct NftName {
  std::uint8_t family = 0;
  NftType type = NftType::kTable;
  std::string table{};
  std::string name{};  // "" for a table
  auto operator<=>(const NftName&) const = default;
};

// The one immortal copy of a name; equal names give the same pointer. One thread.
const NftName* intern(NftName name);

class NftBytes {
 public:
  static constexpr std::size_t kCapacity = 48;
  NftBytes() = default;
  NftBytes(Bytes bytes) { append(bytes); }

  void append(Bytes bytes) {
    std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ = static_cast<std::uint8_t>(size_ + bytes.size());
  }
  Bytes view() const { return {bytes_.data(), size_}; }
  bool empty() const { return size_ == 0; }
  auto operator<=>(const NftBytes&) const = default;

 private:
  std::uint8_t size_ = 0;
  std::array<std::uint8_t, kCapacity> bytes_{};  // zero beyond size_
};

struct NftChain {
  struct Hook {                // a base chain's
    std::string type{};        // "filter", "nat", "route"
    std::uint32_t hook = 0;    // NF_INET_PRE_ROUTING, …
    std::int32_t priority = 0;
    bool operator==(const Hook&) const = default;
  };
  std::optional<Hook> hook{};
  std::vector<nft::Rule> rules{};
};

struct NftSet {
  std::uint32_t flags = 0;             // NFT_SET_MAP, NFT_SET_INTERVAL, NFT_SET_TIMEOUT, NFT_SET_EVAL, …
  std::vector<nft::FieldType> key{};   // one or, concatenated, several fields
  std::vector<nft::FieldType> data{};  // of a map; empty for a verdict map (kVerdict) and a set
  bool verdict_map = false;
  std::uint32_t size = 0;              // 0 = no limit
  bool packet_path_fills = false;      // its elements are not ours to compare
  std::string typeof_userdata{};       // what `nft list` needs to print a typeof set; opaque
};

struct NftKind {
  struct Key {
    const NftName* name = nullptr;
    NftBytes element{};  // empty: the object itself
    bool operator==(const Key&) const = default;
  };
  // Of an element: a set's nothing, an interval's end, a map's data, a verdict map's verdict code
  // (host-order u32: NF_DROP, NFT_GOTO …) followed by the chain's name. Of a table: nothing.
  struct Value {
    NftBytes data{};
    std::shared_ptr<const NftChain> chain{};
    std::shared_ptr<const NftSet> set{};
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  using Table = std::unordered_map<Key, Value, KeyHash>;
  static constexpr std::string_view kName = "nft";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
};

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
//
// The nft kind: tables, chains with their rules, sets and maps, and their elements, all of one kind
// because one batch must carry them (the kernel commits it whole or not at all).
//
// An instance of the kind is a table's name, in whatever family: `weft-services` is one.
// What packets write (elements of dynamic sets, counters) is not ours to compare.
//
// An element is small, for there may be 100,000s: its key is the object's name, which is interned,
// and up to 48 bytes: the set's key as the kernel takes it (each field padded to four bytes,
// network order; numgen's is host order). Key and value are 32 bytes each where they hold IPv4.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "linux/nft/object.h"

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

// Up to 48 bytes. Those of IPv4 Services lie within, longer ones (of IPv6) outside.
class NftBytes {
 public:
  static constexpr std::size_t kCapacity = 48;
  NftBytes() = default;
  NftBytes(Bytes bytes) { assign(bytes, {}); }
  NftBytes(const NftBytes& other) : NftBytes(other.view()) {}
  NftBytes(NftBytes&& other) noexcept { swap(other); }
  NftBytes& operator=(NftBytes other) noexcept {
    swap(other);
    return *this;
  }
  ~NftBytes() {
    if (size_ > kWithin) delete[] outside();
  }

  void append(Bytes more) {
    NftBytes longer;
    longer.assign(view(), more);
    swap(longer);
  }
  Bytes view() const { return {size_ > kWithin ? outside() : bytes_.data(), size_}; }
  bool empty() const { return size_ == 0; }
  bool operator==(const NftBytes& other) const {
    return size_ == other.size_ && std::memcmp(view().data(), other.view().data(), size_) == 0;
  }

 private:
  static constexpr std::size_t kWithin = 23;

  // Of an empty one.
  void assign(Bytes first, Bytes second) {
    const std::size_t size = first.size() + second.size();
    assert(size <= kCapacity);
    std::uint8_t* to = bytes_.data();
    if (size > kWithin) {
      to = new std::uint8_t[size];
      std::memcpy(bytes_.data(), &to, sizeof to);
    }
    size_ = static_cast<std::uint8_t>(size);
    std::copy(second.begin(), second.end(), std::copy(first.begin(), first.end(), to));
  }
  std::uint8_t* outside() const { return load<std::uint8_t*>(bytes_); }
  void swap(NftBytes& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
  }

  std::array<std::uint8_t, kWithin> bytes_{};  // or where they are
  std::uint8_t size_ = 0;
};

using NftChain = nft::Chain;
using NftSet = nft::Set;

struct NftKind {
  struct Key {
    const NftName* name = nullptr;
    NftBytes element{};  // empty: the object itself
    bool operator==(const Key&) const = default;
  };
  // data() is, of an element of
  //   a plain set       nothing
  //   an interval set   the last key in the interval, also where it is the first (see last_key)
  //   a map             the data as in the registers
  //   a verdict map     the verdict (host-order u32: NF_DROP, NFT_GOTO, …), then the chain's name
  // and of a table nothing (its flags, where the kernel's are not the 0 they should be). A chain
  // has chain(), a set or map has set().
  class Value {
   public:
    Value() = default;
    explicit Value(NftBytes data) : value_(std::move(data)) {}
    explicit Value(std::shared_ptr<const NftChain> chain) : value_(std::move(chain)) {}
    explicit Value(std::shared_ptr<const NftSet> set) : value_(std::move(set)) {}

    // Each null, or empty, where the value is another thing.
    const NftBytes& data() const { return held<NftBytes>(); }
    const std::shared_ptr<const NftChain>& chain() const {
      return held<std::shared_ptr<const NftChain>>();
    }
    const std::shared_ptr<const NftSet>& set() const {
      return held<std::shared_ptr<const NftSet>>();
    }

   private:
    template <class T>
    const T& held() const {
      static const T none{};
      const T* const value = std::get_if<T>(&value_);
      return value == nullptr ? none : *value;
    }
    std::variant<NftBytes, std::shared_ptr<const NftChain>, std::shared_ptr<const NftSet>> value_{};
  };
  struct KeyHash {
    // Not noexcept, so that the table keeps each hash beside its entry (libstdc++).
    std::size_t operator()(const Key& key) const;
  };
  using Table = std::unordered_map<Key, Value, KeyHash>;
  static constexpr std::string_view kName = "nft";
  static std::string_view instance_of(const Key& key) { return key.name->table; }
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const Key& key);
  static std::string describe(const Value& value);
  // The same, read by the fields of the key's set where its definition was seen.
  static std::string describe(const Key& key, const Value& value);
};

// Keeps a set's definition beside its interned name, so that elements can be described by their
// fields. The driver does so for every set it reads or writes.
void remember_definition(const NftName* set, std::shared_ptr<const NftSet> definition);

// ---- Values, for plans.

NftKind::Value nft_chain(NftChain chain);
NftKind::Value nft_set(NftSet set);
NftKind::Value nft_data(const NftBytes& data);  // of a map's element
NftKind::Value nft_verdict(std::int32_t code, std::string_view chain = {});

// A field padded to four bytes, as it lies in the registers; several are one key.
NftBytes& append_field(NftBytes& bytes, Bytes field);
// The last address in a prefix: the value of an interval set's element whose key is the first.
NftKind::Value last_key(const Prefix& prefix);

}  // namespace weft::tables

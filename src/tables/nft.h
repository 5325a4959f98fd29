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
#include <initializer_list>
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
  NftBytes(Bytes bytes) { put(bytes); }
  NftBytes(const NftBytes& other) : held_(other.held_) {
    if (is_outside()) put(other.view());
  }
  NftBytes(NftBytes&& other) noexcept : held_(std::exchange(other.held_, {})) {}
  NftBytes& operator=(NftBytes other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~NftBytes() {
    if (is_outside()) delete[] outside();
  }

  Bytes view() const { return {is_outside() ? outside() : held_.bytes.data(), held_.size}; }
  bool empty() const { return held_.size == 0; }
  bool operator==(const NftBytes& other) const {
    const std::size_t size = held_.size;
    return size == other.held_.size && std::memcmp(view().data(), other.view().data(), size) == 0;
  }

 private:
  static constexpr std::size_t kWithin = 23;

  bool is_outside() const { return held_.size > kWithin; }
  std::uint8_t* outside() const { return load<std::uint8_t*>(held_.bytes); }
  void put(Bytes bytes) {
    assert(bytes.size() <= kCapacity);
    held_.size = static_cast<std::uint8_t>(bytes.size());
    std::uint8_t* to = held_.bytes.data();
    if (is_outside()) {
      to = new std::uint8_t[bytes.size()];
      std::memcpy(held_.bytes.data(), &to, sizeof to);
    }
    std::copy(bytes.begin(), bytes.end(), to);
  }

  struct Held {
    std::array<std::uint8_t, kWithin> bytes{};  // or where they are
    std::uint8_t size = 0;
  };
  Held held_{};
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

// Fields as they lie in the registers, each padded to four bytes: a key, or a map's data.
NftBytes nft_fields(std::initializer_list<Bytes> fields);
// The last address in a prefix: the value of an interval set's element whose key is the first.
NftKind::Value last_key(const Prefix& prefix);

}  // namespace weft::tables

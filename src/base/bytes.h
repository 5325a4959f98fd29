// SPDX-License-Identifier: Apache-2.0
//
// Byte spans and byte order: what the codecs share. Be16 and Be32 hold a number as it stands on the
// wire, so that a host-order number cannot be put there by accident.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace weft {

using Bytes = std::span<const std::uint8_t>;

static_assert(std::endian::native == std::endian::little,
              "byte order is written for little endian");

enum class Be16 : std::uint16_t {};
enum class Be32 : std::uint32_t {};

constexpr Be16 to_be(std::uint16_t host) { return Be16{__builtin_bswap16(host)}; }
constexpr Be32 to_be(std::uint32_t host) { return Be32{__builtin_bswap32(host)}; }
constexpr std::uint16_t from_be(Be16 wire) {
  return __builtin_bswap16(static_cast<std::uint16_t>(wire));
}
constexpr std::uint32_t from_be(Be32 wire) {
  return __builtin_bswap32(static_cast<std::uint32_t>(wire));
}

// The bytes of a plain struct or number, as they lie in memory.
template <class T>
Bytes bytes_of(const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The plain struct or number at the start of `bytes`; zero where the bytes end early.
template <class T>
T load(Bytes bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value{};
  std::memcpy(&value, bytes.data(), bytes.size() < sizeof value ? bytes.size() : sizeof value);
  return value;
}

}  // namespace weft

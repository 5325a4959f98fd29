// SPDX-License-Identifier: Apache-2.0
//
// IpAddress, Prefix and MacAddress: plain values for both IP families, so that no function needs a
// v4 and a v6 twin. Bytes are in network order. Text forms are RFC 4291 §2.2 and RFC 5952 (as
// inet_pton and inet_ntop read and write them); no names, no zones, no leading zeros.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

enum class IpFamily : std::uint8_t { kIpv4 = 4, kIpv6 = 6 };

constexpr std::uint8_t address_bits(IpFamily family) {
  return family == IpFamily::kIpv4 ? 32 : 128;
}

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0

  // `bytes` holds 4 or 16 bytes; any other length is a bug.
  static IpAddress from_bytes(std::span<const std::uint8_t> bytes);
  static Result<IpAddress> parse(std::string_view text);
  static IpAddress any(IpFamily family);

  IpFamily family() const { return family_; }
  bool is_v4() const { return family_ == IpFamily::kIpv4; }
  bool is_v6() const { return family_ == IpFamily::kIpv6; }
  std::span<const std::uint8_t> bytes() const {
    return {bytes_.data(), is_v4() ? std::size_t{4} : std::size_t{16}};
  }
  bool is_unspecified() const { return *this == any(family_); }
  bool is_loopback() const;
  bool is_link_local() const;
  bool is_multicast() const;

  // This address plus `offset`, within its family (wraps around at the end, as integers do).
  IpAddress plus(std::uint64_t offset) const;
  std::string to_string() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  IpFamily family_ = IpFamily::kIpv4;
  std::array<std::uint8_t, 16> bytes_{};
};

// An address with a prefix length. The address may have host bits (an interface address) or none
// (a network); network() drops them.
struct Prefix {
  IpAddress address{};
  std::uint8_t length = 0;

  // "10.0.0.1/24"; a bare address gets its full length.
  static Result<Prefix> parse(std::string_view text);
  static Prefix host(const IpAddress& address);
  static Prefix default_route(IpFamily family) { return {IpAddress::any(family), 0}; }

  IpFamily family() const { return address.family(); }
  Prefix network() const;
  bool is_network() const { return network() == *this; }
  bool contains(const IpAddress& other) const;
  bool contains(const Prefix& other) const {
    return other.length >= length && contains(other.address);
  }
  // The network's n-th address: 10.0.1.0/24 at 1 is 10.0.1.1.
  IpAddress at(std::uint64_t n) const { return network().address.plus(n); }
  IpAddress last() const;
  std::string to_string() const;

  auto operator<=>(const Prefix&) const = default;
};

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  static Result<MacAddress> parse(std::string_view text);
  std::string to_string() const;  // lower case, colons
  bool is_zero() const { return *this == MacAddress{}; }
  auto operator<=>(const MacAddress&) const = default;
};

}  // namespace weft

template <>
struct std::hash<weft::IpAddress> {
  std::size_t operator()(const weft::IpAddress& address) const noexcept;
};

// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>
#include <charconv>

namespace weft {

namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

}  // namespace

IpAddress IpAddress::from_bytes(std::span<const std::uint8_t> bytes) {
  assert(bytes.size() == 4 || bytes.size() == 16);
  IpAddress address;
  address.family_ = bytes.size() == 4 ? IpFamily::kIpv4 : IpFamily::kIpv6;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  std::array<std::uint8_t, 16> bytes{};
  if (copy.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, copy.c_str(), bytes.data()) == 1)
      return from_bytes(std::span(bytes).first(4));
    if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return from_bytes(bytes);
  }
  return fail(quoted(text) + " is not an IP address");
}

IpAddress IpAddress::any(IpFamily family) {
  IpAddress address;
  address.family_ = family;
  return address;
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return *this == any(IpFamily::kIpv6).plus(1);
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

IpAddress IpAddress::plus(std::uint64_t offset) const {
  IpAddress sum = *this;
  for (std::size_t i = bytes().size(); i-- > 0 && offset != 0;) {
    const std::uint64_t digit = sum.bytes_[i] + (offset & 0xff);
    sum.bytes_[i] = static_cast<std::uint8_t>(digit);
    offset = (offset >> 8) + (digit >> 8);
  }
  return sum;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

Result<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return fail(quoted(text) + " is not an IP prefix");
  if (slash == std::string_view::npos) return host(*address);
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size() ||
      length > address_bits(address->family()))
    return fail(quoted(text) + " is not an IP prefix: its length must be 0 to " +
                std::to_string(address_bits(address->family())));
  return Prefix{*address, static_cast<std::uint8_t>(length)};
}

Prefix Prefix::host(const IpAddress& address) { return {address, address_bits(address.family())}; }

Prefix Prefix::network() const {
  std::array<std::uint8_t, 16> bytes{};
  const auto mine = address.bytes();
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const int kept = std::clamp(int{length} - static_cast<int>(i) * 8, 0, 8);
    bytes[i] = static_cast<std::uint8_t>(mine[i] & (0xff00 >> kept));
  }
  return {IpAddress::from_bytes(std::span(bytes).first(mine.size())), length};
}

bool Prefix::contains(const IpAddress& other) const {
  return other.family() == family() && Prefix{other, length}.network() == network();
}

IpAddress Prefix::last() const {
  std::array<std::uint8_t, 16> bytes{};
  const auto mine = address.bytes();
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const int kept = std::clamp(int{length} - static_cast<int>(i) * 8, 0, 8);
    bytes[i] = static_cast<std::uint8_t>(mine[i] | (0xff >> kept));
  }
  return IpAddress::from_bytes(std::span(bytes).first(mine.size()));
}

std::string Prefix::to_string() const {
  return address.to_string() + "/" + std::to_string(unsigned{length});
}

Result<MacAddress> MacAddress::parse(std::string_view text) {
  MacAddress mac;
  const auto bad = [&] { return fail(quoted(text) + " is not a MAC address"); };
  if (text.size() != 17) return bad();
  for (std::size_t i = 0; i < 6; ++i) {
    const char* digits = text.data() + i * 3;
    const auto [end, error] = std::from_chars(digits, digits + 2, mac.bytes[i], 16);
    if (error != std::errc{} || end != digits + 2) return bad();
    if (i < 5 && digits[2] != ':') return bad();
  }
  return mac;
}

std::string MacAddress::to_string() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace weft

std::size_t std::hash<weft::IpAddress>::operator()(const weft::IpAddress& address) const noexcept {
  const auto bytes = address.bytes();
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// SPDX-License-Identifier: Apache-2.0
#include "service/nftables/elements.h"

#include <linux/netfilter.h>

#include <charconv>

#include "service/nftables/names.h"

namespace weft::service::nftables {
namespace {

using tables::nft_fields;
using tables::NftBytes;

constexpr std::size_t kFieldSize = 4;  // of a protocol, a port or an index, padded

std::size_t address_size(IpFamily family) { return address_bits(family) / std::size_t{8}; }

std::uint16_t read_port(Bytes field) { return from_be(Be16{load<std::uint16_t>(field)}); }

}  // namespace

std::uint8_t protocol_family(IpFamily family) {
  return family == IpFamily::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

NftBytes frontend_key(const model::Frontend& frontend) {
  return nft_fields(
      {frontend.address.bytes(), bytes_of(frontend.protocol), bytes_of(to_be(frontend.port))});
}

NftBytes endpoint_key(const NftBytes& frontend_key, std::uint32_t index) {
  return nft_fields({frontend_key.view(), bytes_of(index)});
}

NftBytes backend_data(const model::Backend& backend) {
  return nft_fields({backend.address.bytes(), bytes_of(to_be(backend.port))});
}

NftBytes address_key(const IpAddress& address) { return NftBytes(address.bytes()); }

NftBytes hairpin_key(const IpAddress& address) {
  return nft_fields({address.bytes(), address.bytes()});
}

std::string balance_chain(std::size_t backends) {
  return std::string(kBalancePrefix) + std::to_string(backends);
}

std::size_t balanced_by(std::string_view chain) {
  if (!chain.starts_with(kBalancePrefix)) return 0;
  chain.remove_prefix(kBalancePrefix.size());
  std::size_t backends = 0;
  const auto [end, error] = std::from_chars(chain.data(), chain.data() + chain.size(), backends);
  return error == std::errc() && end == chain.data() + chain.size() ? backends : 0;
}

std::optional<model::Frontend> read_frontend(Bytes key, IpFamily family) {
  const std::size_t size = address_size(family);
  if (key.size() != size + 2 * kFieldSize) return std::nullopt;
  return model::Frontend{IpAddress::from_bytes(key.first(size)), model::Protocol{key[size]},
                         read_port(key.subspan(size + kFieldSize))};
}

std::optional<EndpointKey> read_endpoint_key(Bytes key, IpFamily family) {
  if (key.size() < kFieldSize) return std::nullopt;
  const auto frontend = read_frontend(key.first(key.size() - kFieldSize), family);
  if (!frontend) return std::nullopt;
  return EndpointKey{*frontend, load<std::uint32_t>(key.last(kFieldSize))};
}

std::optional<model::Backend> read_backend(Bytes data, IpFamily family) {
  const std::size_t size = address_size(family);
  if (data.size() != size + kFieldSize) return std::nullopt;
  return model::Backend{IpAddress::from_bytes(data.first(size)), read_port(data.subspan(size)),
                        false};
}

std::optional<IpAddress> read_address(Bytes key, IpFamily family) {
  const std::size_t size = address_size(family);
  if (key.size() < size) return std::nullopt;
  return IpAddress::from_bytes(key.first(size));
}

}  // namespace weft::service::nftables

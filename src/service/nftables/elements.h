// SPDX-License-Identifier: Apache-2.0
//
// The keys and data of the back end's map elements: to the bytes that lie in the kernel's
// registers, and back. Each field is padded to four bytes, in network order; an index (numgen's) is
// host order.
#pragma once

#include <optional>
#include <string>

#include "model/service_table.h"
#include "tables/nft.h"

namespace weft::service::nftables {

std::uint8_t protocol_family(IpFamily family);  // NFPROTO_IPV4, NFPROTO_IPV6

// ip daddr . meta l4proto . th dport
tables::NftBytes frontend_key(const model::Frontend& frontend);
// a frontend's key . numgen
tables::NftBytes endpoint_key(const tables::NftBytes& frontend_key, std::uint32_t index);
// ip daddr . th dport
tables::NftBytes backend_data(const model::Backend& backend);
tables::NftBytes address_key(const IpAddress& address);
// ip saddr . ip daddr, twice the same
tables::NftBytes hairpin_key(const IpAddress& address);

// The chain that spreads over `backends` backends: "n3"; and back, 0 for any other name.
std::string balance_chain(std::size_t backends);
std::size_t balanced_by(std::string_view chain);

// The way back; nothing where the bytes are not of that shape.
std::optional<model::Frontend> read_frontend(Bytes key, IpFamily family);
struct EndpointKey {
  model::Frontend frontend{};
  std::uint32_t index = 0;
};
std::optional<EndpointKey> read_endpoint_key(Bytes key, IpFamily family);
std::optional<model::Backend> read_backend(Bytes data, IpFamily family);
std::optional<IpAddress> read_address(Bytes key, IpFamily family);

}  // namespace weft::service::nftables

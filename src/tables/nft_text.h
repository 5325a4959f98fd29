// SPDX-License-Identifier: Apache-2.0
// nf_tables objects and elements as text, near to how `nft list ruleset` prints them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "linux/nft/object.h"

namespace weft::tables {

std::string_view family_text(std::uint8_t family);  // "ip", "ip6", "inet"

// "10.96.0.10 . udp . 53", field by field; bytes that the fields do not cover, in hexadecimal.
std::string fields_text(Bytes bytes, const std::vector<nft::FieldType>& fields);
std::string verdict_text(Bytes verdict);  // "goto n2"
// An element's data where nobody knows its type: a verdict, an address, an address and a port.
std::string data_text(Bytes data);

std::string chain_text(
    const nft::Chain& chain);               // "type nat hook prerouting priority -100; …; rules"
std::string set_text(const nft::Set& set);  // "type ipv4_addr . inet_service; flags interval"

}  // namespace weft::tables

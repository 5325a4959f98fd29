// SPDX-License-Identifier: Apache-2.0
//
// Which of a Node's addresses carries packets to its pods, and what keeps one from doing so. An
// InternalIP among pods is nobody's: by it a Node could take another's pod CIDR away.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "model/objects.h"
#include "podnet/transport.h"

namespace weft::podnet {

// By which peers and the underlay know a node: its first IPv4 InternalIP, or its first; nothing
// when it has none.
std::optional<IpAddress> underlay_address(const model::Node& node);

bool is_within(const Prefix& cidr, const std::vector<Prefix>& networks);

// The one of `networks` that the address is within, or null.
const Prefix* network_of(const IpAddress& address, const std::vector<Prefix>& networks);

// The first InternalIP of the Node that is within the network, or null.
const IpAddress* node_within(const model::Node& node, const Prefix& network);

// Where packets for this pod CIDR of the Node go, or null. `pods`: networks of pods alone.
const IpAddress* remote_for(const Transport& transport, const model::Node& node, const Prefix& cidr,
                            const std::vector<Prefix>& pods);

// What keeps the pods of a Node from being reached: for one of its pod CIDRs it has no InternalIP
// of the family that the transport needs, or one that is no node's address.
std::vector<std::string> address_problems(const Transport& transport, const model::Node& node,
                                          const std::vector<Prefix>& pods);

}  // namespace weft::podnet

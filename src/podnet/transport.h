// SPDX-License-Identifier: Apache-2.0
//
// A Transport carries packets between nodes for their pods. It is a plan like any other: pure, so
// that apply, resync, verify and uninstall are the Reconciler's and are written once for all
// transports. Which Nodes there are, which of their pod CIDRs count and by which address they are
// reached is decided before (peers.h); a transport only renders it.
//
// A new one is a folder here and a line in transport.cpp. Transports have no state: there is one
// object of each, for ever.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "model/objects.h"
#include "podnet/underlay.h"
#include "tables/changes.h"

namespace weft::podnet {

// This node, as its own part of the transport needs it.
struct LocalNode {
  const std::vector<Prefix>& pod_cidrs;
  const Underlay& underlay;
  std::uint32_t mtu = 0;  // of pods
};

// Where packets for a pod CIDR of another node go: to the node's InternalIP. No pod CIDR of two
// routes overlaps.
struct PeerRoute {
  Prefix pod_cidr{};
  IpAddress remote{};
  bool operator==(const PeerRoute&) const = default;
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::string_view name() const = 0;   // in configurations: "vxlan"
  virtual std::string_view title() const = 0;  // for people: "VXLAN"

  // What it takes of the underlay's MTU, in bytes.
  virtual std::uint32_t overhead() const = 0;

  // The link of its own; "" = none. Like the bridge it forwards, and believes no router.
  virtual std::string_view link() const = 0;

  // Of the InternalIP that carries packets to pods of this family.
  virtual IpFamily outer_family(IpFamily pods) const = 0;

  // Fails, naming the value, where it cannot work on such an underlay.
  virtual Result<> check(const Underlay& underlay) const = 0;

  // What stands on this node whatever peers there are. The forwarding and router advertisement
  // sysctls of link() are not its to plan.
  virtual void plan_node(const LocalNode& node, tables::TableChanges& out) const = 0;

  // What leads to one pod CIDR of a peer.
  virtual void plan_route(const PeerRoute& route, const Underlay& underlay,
                          tables::TableChanges& out) const = 0;

  // What there is once for each address that routes lead to, however many they are.
  virtual void plan_remote(const IpAddress& remote, tables::TableChanges& out) const = 0;
};

// The transport of this name, or null. It is there for ever.
const Transport* find_transport(std::string_view name);

// Of all there are; the default first.
std::vector<std::string_view> transport_names();

}  // namespace weft::podnet

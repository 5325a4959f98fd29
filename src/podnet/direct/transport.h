// SPDX-License-Identifier: Apache-2.0
//
// Plain routes, where all nodes share a link: a pod CIDR is reached by way of its node's InternalIP
// of the same family, and packets cross the underlay as they are.
#pragma once

#include "podnet/transport.h"

namespace weft::podnet {

class DirectTransport final : public Transport {
 public:
  std::string_view name() const override { return "direct"; }
  std::string_view title() const override { return "direct routing"; }
  std::uint32_t overhead() const override { return 0; }
  std::string_view link() const override { return ""; }
  IpFamily outer_family(IpFamily pods) const override { return pods; }
  Result<> check(const Underlay&) const override { return {}; }
  void plan_node(const LocalNode&, tables::TableChanges&) const override {}
  void plan_route(const PeerRoute& route, const Underlay& underlay,
                  tables::TableChanges& out) const override;
  void plan_remote(const IpAddress&, tables::TableChanges&) const override {}
};

}  // namespace weft::podnet

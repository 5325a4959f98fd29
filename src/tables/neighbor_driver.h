// SPDX-License-Identifier: Apache-2.0
// Permanent neighbors (ARP, NDP) on the owned links. What the kernel learns by itself is its own.
#pragma once

#include <string>
#include <vector>

#include "linux/netlink/socket.h"
#include "reconcile/table.h"
#include "tables/kinds.h"
#include "tables/link_index.h"

namespace weft::tables {

class NeighborDriver final : public reconcile::PromptDriver<NeighborKind> {
 public:
  NeighborDriver(netlink::Socket& socket, std::vector<std::string> owned_links)
      : socket_(socket), links_(std::move(owned_links)) {}

  Result<NeighborKind::Table> read() override;
  void write(const reconcile::Changes<NeighborKind>& changes,
             const reconcile::Desired<NeighborKind>& desired,
             reconcile::WriteDone<NeighborKind> done) override;

 private:
  netlink::Socket& socket_;
  std::vector<std::string> links_;
};

Result<> encode(const reconcile::Change<NeighborKind>& change, LinkIndex& links,
                netlink::Batch& batch);

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
// Permanent forwarding entries of the owned VXLAN links: MAC address → remote VTEP.
#pragma once

#include <string>
#include <vector>

#include "linux/netlink/socket.h"
#include "reconcile/table.h"
#include "tables/kinds.h"
#include "tables/link_index.h"

namespace weft::tables {

class FdbDriver final : public reconcile::PromptDriver<FdbKind> {
 public:
  FdbDriver(netlink::Socket& socket, std::vector<std::string> owned_links)
      : socket_(socket), links_(std::move(owned_links)) {}

  Result<FdbKind::Table> read() override;
  void write(const reconcile::Changes<FdbKind>& changes, const reconcile::Desired<FdbKind>& desired,
             reconcile::WriteDone<FdbKind> done) override;

 private:
  netlink::Socket& socket_;
  std::vector<std::string> links_;
};

Result<> encode(const reconcile::Change<FdbKind>& change, LinkIndex& links, netlink::Batch& batch);

}  // namespace weft::tables

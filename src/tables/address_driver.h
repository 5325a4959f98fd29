// SPDX-License-Identifier: Apache-2.0
//
// Addresses of the owned links. IPv6 link-local addresses are the kernel's, and an address that
// ends by itself (not permanent) is not one we set: neither is read.
//
// A change costs the same among thousands: only where the kernel says that an address is there
// already is it asked for what it holds, to remove the same IPv6 address of another prefix length.
#pragma once

#include <string>
#include <vector>

#include "linux/netlink/socket.h"
#include "reconcile/table.h"
#include "tables/kinds.h"
#include "tables/link_index.h"

namespace weft::tables {

class AddressDriver final : public reconcile::PromptDriver<AddressKind> {
 public:
  AddressDriver(netlink::Socket& socket, std::vector<std::string> owned_links)
      : socket_(socket), links_(std::move(owned_links)) {}

  Result<AddressKind::Table> read() override;
  void write(const reconcile::Changes<AddressKind>& changes,
             const reconcile::Desired<AddressKind>& desired,
             reconcile::WriteDone<AddressKind> done) override;

 private:
  void replace(const reconcile::Changes<AddressKind>& changes, LinkIndex& links,
               std::vector<reconcile::WriteFailure<AddressKind>>& failures);

  netlink::Socket& socket_;
  std::vector<std::string> links_;
};

Result<> encode(const reconcile::Change<AddressKind>& change, LinkIndex& links,
                netlink::Batch& batch);

}  // namespace weft::tables

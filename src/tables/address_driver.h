// SPDX-License-Identifier: Apache-2.0
//
// Addresses of the owned links. IPv6 link-local addresses are the kernel's, and an address that
// ends by itself (not permanent) is not one we set: neither is read.
//
// A change costs the same among thousands: only where the kernel says that an address is there
// already is it asked for what it holds, to remove the same IPv6 address of another prefix length.
#pragma once

#include <vector>

#include "tables/address.h"
#include "tables/rtnetlink_driver.h"

namespace weft::tables {

class AddressDriver final : public RtnetlinkDriver<AddressKind> {
 public:
  using RtnetlinkDriver::RtnetlinkDriver;

  void write(const reconcile::Changes<AddressKind>& changes,
             const reconcile::Desired<AddressKind>& desired,
             reconcile::WriteDone<AddressKind> done) override;

 private:
  void replace(const Again<AddressKind>& there, LinkIndex& links,
               std::vector<reconcile::WriteFailure<AddressKind>>& failures);
};

Result<> read_entries(netlink::Socket& socket, LinkIndex& links, const Ownership& ownership,
                      AddressKind::Table& table);
// Of a change without a previous value: adds the address, or leaves it where it is there.
Result<> encode(const reconcile::Change<AddressKind>& change, LinkIndex& links,
                const Ownership& ownership, netlink::Batch& batch);

}  // namespace weft::tables

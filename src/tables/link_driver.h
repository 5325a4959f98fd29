// SPDX-License-Identifier: Apache-2.0
//
// Links: reads the owned ones by name, changes in place what can be changed in place (MTU, MAC, up,
// master, group, hairpin), and makes a link anew when it has become another (a bridge for a VXLAN,
// another VNI, local address or underlay). A bridge or VXLAN of ours that someone renamed is known
// by its MAC address and gets its name back, ports and all; one that was deleted is made anew.
// A pod's veth (of the port group) without a bridge belongs on ours: a bridge that lacks one is
// read as different, and every write to it attaches those.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "linux/netlink/socket.h"
#include "reconcile/table.h"
#include "tables/link.h"
#include "tables/link_index.h"
#include "tables/ownership.h"

namespace weft::tables {

class LinkDriver final : public reconcile::PromptDriver<LinkKind> {
 public:
  // `socket` outlives the driver.
  LinkDriver(netlink::Socket& socket, Ownership ownership)
      : socket_(socket), ownership_(std::move(ownership)) {}

  Result<LinkKind::Table> read() override;
  void write(const reconcile::Changes<LinkKind>& changes,
             const reconcile::Desired<LinkKind>& desired,
             reconcile::WriteDone<LinkKind> done) override;

 private:
  using Failed = reconcile::WriteFailure<LinkKind>;
  std::optional<Failed> attach_pods(const std::string& bridge);

  netlink::Socket& socket_;
  Ownership ownership_;
};

// The requests of one change, after the kernel's present link of that name. `links` lives until the
// batch is sent.
Result<> encode(const reconcile::Change<LinkKind>& change, LinkIndex& links,
                const Ownership& ownership, netlink::Batch& batch);

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
//
// Routes with our protocol number in our routing tables, both families. Somebody else's route of
// the same destination and metric stays, and is the failure; but what takes the place of a route
// that was ours (`ip route replace` gives it another protocol number) is replaced.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "linux/netlink/route.h"
#include "linux/netlink/socket.h"
#include "reconcile/table.h"
#include "tables/link_index.h"
#include "tables/ownership.h"
#include "tables/route.h"

namespace weft::tables {

class RouteDriver final : public reconcile::PromptDriver<RouteKind> {
 public:
  // `socket` outlives the driver.
  RouteDriver(netlink::Socket& socket, Ownership ownership)
      : socket_(socket), ownership_(std::move(ownership)) {}

  // Several routes of one destination and metric (IPv4 can) read as one that leads nowhere.
  Result<RouteKind::Table> read() override;
  void write(const reconcile::Changes<RouteKind>& changes,
             const reconcile::Desired<RouteKind>& desired,
             reconcile::WriteDone<RouteKind> done) override;

 private:
  Result<> read_some(const netlink::RouteFilter& filter, LinkIndex& links, RouteKind::Table& table);

  void put_surplus_removal(const RouteKind::Key& key, netlink::Batch& batch);
  void name_strangers(std::vector<reconcile::WriteFailure<RouteKind>>& failures);
  void note_written(const reconcile::Changes<RouteKind>& changes,
                    const std::vector<reconcile::WriteFailure<RouteKind>>& failures);

  netlink::Socket& socket_;
  Ownership ownership_;
  std::set<RouteKind::Key> held_{};  // those that were ours once, and that we did not remove
  // IPv4 can hold several routes of one destination and metric: how many beyond the first there
  // were at the last read.
  std::map<RouteKind::Key, std::size_t> surplus_{};
};

Result<> encode(const reconcile::Change<RouteKind>& change, LinkIndex& links,
                const Ownership& ownership, netlink::Batch& batch);

}  // namespace weft::tables

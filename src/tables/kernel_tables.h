// SPDX-License-Identifier: Apache-2.0
//
// The tables of one network namespace, for whoever owns what `ownership` says: the agent takes
// drivers from it for its Reconciler, a Service back end reads what the kernel does with Services,
// CNI plugins write a pod's links, addresses and routes. Of a kind that has instances (nft: a
// table) the instance is named.
//
// What goes over rtnetlink (links, addresses, neighbors, FDB entries, routes, rules) is written
// several kinds at once; sysctls, files and nft tables by their drivers, which must know more than
// the changes (what was before, the whole desired table).
//
// It keeps nothing but its socket, so that a program holds only the drivers of the kinds it uses.
// Blocking; one thread.
#pragma once

#include <linux/netlink.h>

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "linux/netlink/socket.h"
#include "linux/netns.h"
#include "reconcile/table.h"
#include "tables/address_driver.h"
#include "tables/fdb_driver.h"
#include "tables/file_driver.h"
#include "tables/link_driver.h"
#include "tables/link_index.h"
#include "tables/neighbor_driver.h"
#include "tables/nft_driver.h"
#include "tables/ownership.h"
#include "tables/route_driver.h"
#include "tables/rule_driver.h"
#include "tables/sysctl_driver.h"

namespace weft::tables {

template <class Kind>
struct DriverOf {
  using Type = RtnetlinkDriver<Kind>;
};
template <>
struct DriverOf<LinkKind> {
  using Type = LinkDriver;
};
template <>
struct DriverOf<AddressKind> {
  using Type = AddressDriver;
};
template <>
struct DriverOf<RouteKind> {
  using Type = RouteDriver;
};
template <>
struct DriverOf<SysctlKind> {
  using Type = SysctlDriver;
};
template <>
struct DriverOf<FileKind> {
  using Type = FileDriver;
};
template <>
struct DriverOf<NftKind> {
  using Type = NftDriver;
};

class KernelTables {
 public:
  // Of the thread's namespace, or of `netns`.
  static Result<KernelTables> open(Ownership ownership) {
    WEFT_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_ROUTE));
    return KernelTables(std::move(socket), std::move(ownership));
  }
  static Result<KernelTables> open(const Netns& netns, Ownership ownership) {
    WEFT_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_ROUTE, netns));
    return KernelTables(std::move(socket), std::move(ownership));
  }

  const Ownership& ownership() const { return ownership_; }
  netlink::Socket& socket() { return *socket_; }  // stays where it is when this object moves

  // A driver of its own, for the Reconciler. This object outlives it. `instance`: of nft the
  // table's name, and a NextTurn where a read is to be cut into slices.
  template <class Kind, class... Instance>
  Result<std::unique_ptr<typename DriverOf<Kind>::Type>> driver(Instance... instance) {
    using Driver = typename DriverOf<Kind>::Type;
    if constexpr (std::is_constructible_v<Driver, netlink::Socket&, Ownership>)
      return std::make_unique<Driver>(*socket_, ownership_);
    else
      return Driver::open(*socket_, ownership_, std::move(instance)...);
  }

  // Every entry that is ours.
  template <class Kind, class... Instance>
  Result<typename Kind::Table> read(Instance... instance) {
    WEFT_ASSIGN(const auto reader, driver<Kind>(std::move(instance)...));
    return reconcile::read_all<Kind>(*reader);
  }

  // Writes the changes of all kinds in the order given, each replacing what is there, in one
  // datagram. What the kernel refused, by message; an Error where nothing was sent.
  // `links`: what the caller has looked up already.
  template <class... Kinds>
  Result<std::vector<netlink::Refusal>> try_write(LinkIndex& links,
                                                  const reconcile::Changes<Kinds>&... changes) {
    netlink::Batch batch;
    Result<> encoded{};
    (void)((encoded = put(changes, links, batch), encoded.has_value()) && ...);
    if (!encoded) return Failure(std::move(encoded.error()));
    return socket_->execute(batch);
  }
  // try_write(), where the first refusal is the error.
  template <class... Kinds>
  Result<> write(const reconcile::Changes<Kinds>&... changes) {
    LinkIndex links(*socket_);
    WEFT_ASSIGN(std::vector<netlink::Refusal> refusals, try_write(links, changes...));
    if (!refusals.empty()) return Failure(std::move(refusals.front().error));
    return {};
  }

 private:
  KernelTables(netlink::Socket socket, Ownership ownership)
      : socket_(std::make_unique<netlink::Socket>(std::move(socket))),
        ownership_(std::move(ownership)) {}

  template <class Kind>
  Result<> put(const reconcile::Changes<Kind>& changes, LinkIndex& links, netlink::Batch& batch) {
    for (const auto& change : changes) WEFT_TRY(encode(change, links, ownership_, batch));
    return {};
  }

  std::unique_ptr<netlink::Socket> socket_;
  Ownership ownership_;
};

// Every entry as new.
template <class Kind>
reconcile::Changes<Kind> additions(const typename Kind::Table& table) {
  reconcile::Changes<Kind> changes;
  for (const auto& [key, value] : table) changes.emplace_back(key, nullptr, &value);
  return changes;
}
template <class Kind>
reconcile::Changes<Kind> additions(typename Kind::Table&& temporary) = delete;

}  // namespace weft::tables

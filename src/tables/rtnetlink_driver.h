// SPDX-License-Identifier: Apache-2.0
//
// The driver of a kind whose entries are listed, put and removed one by one over rtnetlink:
// addresses, neighbors, FDB entries, rules. What is the kind's own are two functions beside it:
//
//   Result<> read_entries(netlink::Socket&, LinkIndex&, const Ownership&, Kind::Table&);
//   Result<> encode(const reconcile::Change<Kind>&, LinkIndex&, const Ownership&, netlink::Batch&);
//
// The second puts the messages of one change; KernelTables writes several kinds in one datagram
// with it. One thread; in the socket's namespace.
#pragma once

#include <utility>

#include "linux/netlink/socket.h"
#include "reconcile/table.h"
#include "tables/link_index.h"
#include "tables/ownership.h"
#include "tables/rtnetlink_write.h"

namespace weft::tables {

template <class Kind>
class RtnetlinkDriver : public reconcile::PromptDriver<Kind> {
 public:
  // `socket` outlives the driver.
  RtnetlinkDriver(netlink::Socket& socket, Ownership ownership)
      : socket_(socket), ownership_(std::move(ownership)) {}

  Result<typename Kind::Table> read() override {
    LinkIndex links(socket_);
    typename Kind::Table table;
    WEFT_TRY(read_entries(socket_, links, ownership_, table));
    return table;
  }

  void write(const reconcile::Changes<Kind>& changes, const reconcile::Desired<Kind>&,
             reconcile::WriteDone<Kind> done) override {
    LinkIndex links(socket_);
    write_batch<Kind>(socket_, changes, done, [&](const auto& change, netlink::Batch& batch) {
      return encode(change, links, ownership_, batch);
    });
  }

 protected:
  netlink::Socket& socket_;
  Ownership ownership_;
};

// Calls `read(name, index)` for every link of ours that is there.
template <class Read>
Result<> each_link(LinkIndex& links, const Ownership& ownership, Read read) {
  for (const std::string& name : ownership.links) {
    WEFT_ASSIGN(const auto index, links.find(name));
    if (index) WEFT_TRY(read(name, *index));
  }
  return {};
}

// Calls `put(index)` with the index of the link that the change's key names; nothing is to be done
// for a removal from a link that is gone.
template <class Kind, class Put>
Result<> on_link(const reconcile::Change<Kind>& change, LinkIndex& links, Put put) {
  WEFT_ASSIGN(const auto index, links.find(change.key.link));
  if (!index) return change.value ? fail_errno("link " + change.key.link, ENODEV) : Result<>();
  put(*index);
  return {};
}

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
//
// The nft kind's driver, an instance a table: reads the tables of exactly one name (families ip,
// ip6 and inet) with all that is in them, and writes any set of changes to them as one batch, which
// the kernel commits whole or not at all; of what it refuses see nft_write.h. Other tables are
// neither read beyond their names nor touched, whatever they are called.
//
// Elements of dynamic sets (packet_path_fills) are not read. Anonymous sets and chains belong to
// the rule that uses them and are not entries of their own.
//
// A set's type or flags, and a base chain's hook, cannot be changed in place: the table is then
// deleted and made anew from the desired entries, in the same batch. Its dynamic sets start empty.
//
// With a `next_turn` a read takes some milliseconds of a turn of the event loop at a time, however
// long it is in all (100,000 elements: 0.3 s); without one it ends within the call. A write blocks
// until the kernel has committed. One thread; bound to its socket's network namespace.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/next_turn.h"
#include "linux/netlink/socket.h"
#include "reconcile/table.h"
#include "tables/nft.h"
#include "tables/ownership.h"

namespace weft::tables {

class NftRead;

class NftDriver final : public reconcile::Driver<NftKind> {
 public:
  // `socket` (NETLINK_NETFILTER) is for the writes: its port id is whose the kernel's notifications
  // say they are. A read has one of its own, in the same namespace.
  NftDriver(netlink::Socket socket, std::string table, NextTurn next_turn = {});
  ~NftDriver() override;

  // For KernelTables: in the namespace of `beside`. Fails where the table is not one of ours.
  static Result<std::unique_ptr<NftDriver>> open(const netlink::Socket& beside,
                                                 const Ownership& ownership, std::string_view table,
                                                 NextTurn next_turn = {});

  std::uint32_t port_id() const { return socket_.port_id(); }  // whose its writes are

  void read(reconcile::ReadSink<NftKind>& sink) override;
  // What the kernel refuses is named, and the rest written; see nft_write.h.
  void write(const reconcile::Changes<NftKind>& changes, const reconcile::Desired<NftKind>& desired,
             reconcile::WriteDone<NftKind> done) override;

 private:
  void go_on(reconcile::ReadSink<NftKind>& sink);
  Error explain(Error error);

  netlink::Socket socket_;
  std::string table_;
  NextTurn next_turn_;
  std::shared_ptr<NftRead> reading_{};  // a turn that comes after the driver went finds it gone
};

}  // namespace weft::tables

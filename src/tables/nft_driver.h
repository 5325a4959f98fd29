// SPDX-License-Identifier: Apache-2.0
//
// The nft kind's driver: reads every table of ours (kNftTablePrefix, families ip, ip6 and inet)
// with all that is in it, and writes any set of changes as one batch, which the kernel commits
// whole or not at all. Other people's tables are neither read beyond their names nor touched.
//
// Elements of dynamic sets (packet_path_fills) are not read. Anonymous sets and chains belong to
// the rule that uses them and are not entries of their own.
//
// A set's type or flags, and a base chain's hook, cannot be changed in place: the table is then
// deleted and made anew from the desired entries, in the same batch. Its dynamic sets start empty.
//
// Blocking (a resync of 100,000 elements takes some 0.2 s); one thread; bound to its socket's
// network namespace.
#pragma once

#include "linux/netlink/socket.h"
#include "reconcile/table.h"
#include "tables/nft.h"

namespace weft::tables {

class NftDriver final : public reconcile::PromptDriver<NftKind> {
 public:
  // `socket`: of NETLINK_NETFILTER.
  explicit NftDriver(netlink::Socket socket) : socket_(std::move(socket)) {}

  Result<NftKind::Table> read() override;
  // On failure nothing was written; the one failure says what the kernel refused first.
  void write(const reconcile::Changes<NftKind>& changes, const reconcile::Desired<NftKind>& desired,
             reconcile::WriteDone<NftKind> done) override;

 private:
  Result<> read_table(std::uint8_t family, const std::string& table, NftKind::Table& out);
  Result<> read_elements(const NftName* name, const NftSet& set, NftKind::Table& out);
  Error explain(Error error);

  netlink::Socket socket_;
};

}  // namespace weft::tables

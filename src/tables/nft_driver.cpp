// SPDX-License-Identifier: Apache-2.0
#include "tables/nft_driver.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "linux/netns.h"
#include "linux/nft/dump.h"
#include "tables/nft_read.h"
#include "tables/nft_write.h"

namespace weft::tables {

NftDriver::NftDriver(netlink::Socket socket, std::string table, NextTurn next_turn)
    : socket_(std::move(socket)), table_(std::move(table)), next_turn_(std::move(next_turn)) {}

NftDriver::~NftDriver() = default;

Result<std::unique_ptr<NftDriver>> NftDriver::open(const netlink::Socket& beside,
                                                   const Ownership& ownership,
                                                   std::string_view table, NextTurn next_turn) {
  const auto& ours = ownership.nft_tables;
  if (std::find(ours.begin(), ours.end(), table) == ours.end())
    return fail("nft table " + std::string(table) + " is not ours");
  WEFT_ASSIGN(const Netns netns, beside.netns());
  WEFT_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_NETFILTER, netns));
  return std::make_unique<NftDriver>(std::move(socket), std::string(table), std::move(next_turn));
}

void NftDriver::read(reconcile::ReadSink<NftKind>& sink) {
  assert(!reading_);
  auto begun = NftRead::begin(socket_, table_);
  if (!begun) return sink.done(Failure(std::move(begun.error()).in("read nf_tables")));
  reading_ = std::move(*begun);
  go_on(sink);
}

void NftDriver::go_on(reconcile::ReadSink<NftKind>& sink) {
  Result<bool> over = reading_->go_on(sink);
  while (over && !*over && !next_turn_) {
    reading_->wait();
    over = reading_->go_on(sink);
  }
  if (over && !*over) {
    next_turn_([this, &sink, reading = std::weak_ptr<NftRead>(reading_)] {
      if (reading.expired()) return;
      if (sink.wanted()) return go_on(sink);
      reading_.reset();
      sink.done(fail_errno("read nf_tables", ECANCELED));
    });
    return;
  }
  reading_.reset();
  Result<> outcome;
  if (!over) outcome = Failure(std::move(over.error()).in("read nf_tables"));
  sink.done(std::move(outcome));  // after which nothing of this driver may be there
}

void NftDriver::write(const reconcile::Changes<NftKind>& changes,
                      const reconcile::Desired<NftKind>& desired,
                      reconcile::WriteDone<NftKind> done) {
  for (const auto& change : changes)
    if (change.value && change.value->set())
      remember_definition(change.key.name, change.value->set());
  NftWrite::Failures failures = NftWrite(socket_, desired).run(changes);
  for (auto& failure : failures)
    if (!failure.key) failure.error = explain(std::move(failure.error));
  done(std::move(failures));
}

// A table that a process holds (flags owner) makes the kernel refuse the whole batch with a bare
// "Operation not permitted".
Error NftDriver::explain(Error error) {
  if (error.code != EPERM) return error;
  nft::Dump dump(socket_);
  std::vector<nft::TableRecord> tables;
  const auto begun =
      dump.tables([&](nft::TableRecord table) { tables.push_back(std::move(table)); });
  if (!begun || !dump.finish()) return error;
  for (const nft::TableRecord& table : tables)
    if (table.name == table_ && (table.flags & NFT_TABLE_F_OWNER) != 0)
      error = std::move(error).in(
          "table " +
          NftKind::describe({intern({table.family, NftType::kTable, table.name, ""}), {}}) +
          " is held by another process (flags owner)");
  return error;
}

}  // namespace weft::tables

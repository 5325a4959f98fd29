// SPDX-License-Identifier: Apache-2.0
#include "tables/nft_driver.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>

#include "linux/nft/dump.h"
#include "tables/names.h"
#include "tables/nft_transaction.h"

namespace weft::tables {

namespace {

bool is_ours(const nft::TableRecord& table) {
  const bool family =
      table.family == NFPROTO_IPV4 || table.family == NFPROTO_IPV6 || table.family == NFPROTO_INET;
  return family && table.name.starts_with(kNftTablePrefix);
}

// Nothing we plan is longer; what somebody put there is cut, which is enough to tell that it
// differs.
NftBytes bounded(Bytes bytes) {
  return NftBytes(bytes.first(std::min(bytes.size(), NftBytes::kCapacity)));
}

NftKind::Value table_value(std::uint32_t flags) {
  return flags == 0 ? NftKind::Value{} : nft_data(NftBytes(bytes_of(flags)));
}

}  // namespace

Result<NftKind::Table> NftDriver::read() {
  NftKind::Table table;
  const auto read_all = [&]() -> Result<> {
    table.clear();
    WEFT_ASSIGN(const auto tables, nft::dump_tables(socket_));
    for (const nft::TableRecord& record : tables) {
      if (!is_ours(record)) continue;
      table.emplace(NftKind::Key{intern({record.family, NftType::kTable, record.name, ""}), {}},
                    table_value(record.flags));
      WEFT_TRY(read_table(record.family, record.name, table));
    }
    return {};
  };
  WEFT_TRY(nft::read_consistently(socket_, read_all), "read nf_tables");
  return table;
}

Result<> NftDriver::read_table(std::uint8_t family, const std::string& table, NftKind::Table& out) {
  WEFT_ASSIGN(const auto chains, nft::dump_chains(socket_, family, table));
  WEFT_ASSIGN(auto rules, nft::dump_rules(socket_, family, table));
  WEFT_ASSIGN(const auto sets, nft::dump_sets(socket_, family, table));

  std::unordered_map<std::string, std::vector<nft::Rule>> rules_of;
  for (nft::RuleRecord& record : rules) rules_of[record.chain].push_back(std::move(record.rule));
  for (const nft::ChainRecord& record : chains) {
    if (record.anonymous) continue;
    NftChain chain = record.chain;
    chain.rules = std::move(rules_of[record.name]);
    out.emplace(NftKind::Key{intern({family, NftType::kChain, table, record.name}), {}},
                nft_chain(std::move(chain)));
  }
  for (const nft::SetRecord& record : sets) {
    if (record.anonymous) continue;
    const NftName* name = intern({family, NftType::kSet, table, record.name});
    const NftKind::Value value = nft_set(record.set);
    remember_definition(name, value.set);
    out.emplace(NftKind::Key{name, {}}, value);
    if (!record.set.packet_path_fills) WEFT_TRY(read_elements(name, record.set, out));
  }
  return {};
}

Result<> NftDriver::read_elements(const NftName* name, const NftSet& set, NftKind::Table& out) {
  return nft::dump_elements(
      socket_, name->family, name->table, name->name, set,
      [&](Bytes key, Bytes value) {
        out.insert_or_assign(NftKind::Key{name, bounded(key)}, nft_data(bounded(value)));
      },
      [&] {
        std::erase_if(out, [&](const auto& entry) {
          return entry.first.name == name && !entry.first.element.empty();
        });
      });
}

void NftDriver::write(const reconcile::Changes<NftKind>& changes,
                      const reconcile::Desired<NftKind>& desired,
                      reconcile::WriteDone<NftKind> done) {
  for (const auto& change : changes)
    if (change.value && change.value->set) remember_definition(change.key.name, change.value->set);
  const auto commit = [&]() -> Result<> {
    WEFT_ASSIGN(const NftTransaction transaction, NftTransaction::plan(changes, desired));
    nft::Batch batch;
    transaction.encode(batch);
    return batch.commit(socket_);
  };
  if (Result<> result = commit(); !result)
    done({{std::nullopt, explain(std::move(result.error()))}});
  else
    done({});
}

// A table that a process holds (flags owner) makes the kernel refuse the whole batch with a bare
// "Operation not permitted".
Error NftDriver::explain(Error error) {
  const auto tables = error.code == EPERM ? nft::dump_tables(socket_) : fail("");
  if (!tables) return error;
  for (const nft::TableRecord& table : *tables)
    if (is_ours(table) && (table.flags & NFT_TABLE_F_OWNER) != 0)
      error = std::move(error).in(
          "table " +
          NftKind::describe({intern({table.family, NftType::kTable, table.name, ""}), {}}) +
          " is held by another process (flags owner)");
  return error;
}

}  // namespace weft::tables

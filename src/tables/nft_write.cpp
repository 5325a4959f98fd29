// SPDX-License-Identifier: Apache-2.0
#include "tables/nft_write.h"

#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

namespace weft::tables {

namespace {

constexpr int kRounds = 16;

NftTransaction::Entry entry_of(const reconcile::Change<NftKind>& change) {
  return {change.key.name, change.key.element.empty() ? nullptr : &change.key.element};
}

bool is_deletion(std::uint16_t message) {
  return message == NFT_MSG_DELSETELEM || message == NFT_MSG_DELRULE ||
         message == NFT_MSG_DELCHAIN || message == NFT_MSG_DELSET || message == NFT_MSG_DELTABLE;
}

bool is_interval(const NftTransaction::Entry& entry, const reconcile::Desired<NftKind>& desired) {
  const NftKind::Value* set = entry.second == nullptr ? nullptr : desired.find({entry.first, {}});
  return set != nullptr && set->set() != nullptr && nft::is_interval(*set->set());
}

}  // namespace

NftWrite::Failures NftWrite::run(const Changes& changes) {
  Changes rest;
  const Changes* current = &changes;
  for (int round = 0; round < kRounds; ++round) {
    const std::size_t separated = trace_.alone.size();
    const Result<bool> committed = commit(*current, round > 0);
    if (!committed) return {{std::nullopt, committed.error()}};
    if (*committed) return std::move(failures_);
    if (refused_.empty() && trace_.alone.size() == separated) break;  // no progress
    rest = without_refused(*current);
    current = &rest;
    if (rest.empty()) return std::move(failures_);
  }
  return {{std::nullopt, {"nf_tables: refused again in each of many rounds", EAGAIN}}};
}

Result<bool> NftWrite::commit(const Changes& changes, bool traced) {
  WEFT_ASSIGN(const NftTransaction transaction, NftTransaction::plan(changes, desired_, left_out_));
  nft::Batch batch;
  trace_.entries.clear();
  transaction.encode(batch, traced ? &trace_ : nullptr);
  WEFT_ASSIGN(const auto refusals, batch.try_commit(socket_));
  if (refusals.empty()) {
    if (transaction.rebuilds()) name_left_out(transaction);
    return true;
  }
  if (!traced) {
    nft::Batch again;
    transaction.encode(again, &trace_);
  }
  refused_.clear();
  for (const netlink::Refusal& refusal : refusals) WEFT_TRY(blame(batch, refusal));
  blame_dependents(changes);
  if (transaction.rebuilds()) leave_out(transaction);
  return false;
}

// What was refused of a table that is made anew.
void NftWrite::leave_out(const NftTransaction& transaction) {
  for (const auto& [entry, refused] : refused_)
    if (transaction.rebuilds(*entry.first))
      left_out_.add({entry.first, entry.second == nullptr ? NftBytes() : *entry.second},
                    refused.error);
}

// Also what is in no change: it went with the table, and did not come back.
void NftWrite::name_left_out(const NftTransaction& transaction) {
  std::unordered_set<NftKind::Key, NftKind::KeyHash> named;
  for (auto& failure : failures_) {
    failure.half_done = transaction.rebuilds(*failure.key->name);
    named.insert(*failure.key);
  }
  desired_.each([&](const NftKind::Key& key, const NftKind::Value&) {
    if (!transaction.rebuilds(*key.name) || named.contains(key)) return;
    if (const Error* const error = left_out_.find(key)) failures_.push_back({key, *error, true});
  });
}

Result<> NftWrite::blame(const nft::Batch& batch, const netlink::Refusal& refusal) {
  const auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
  const auto [first, last] =
      std::equal_range(trace_.entries.begin(), trace_.entries.end(),
                       NftTransaction::Trace::Traced{refusal.index, {}}, less);
  if (first == last || refusal.error.code == EPERM) return Failure(refusal.error);
  if (last - first > 1) {  // which of the elements, the next round tells
    for (auto at = first; at != last; ++at) trace_.alone.insert(at->second.second);
    return {};
  }
  const bool deletion = is_deletion(batch.message(refusal.index));
  const NftTransaction::Entry& entry = first->second;
  if (!deletion && refusal.error.code == EEXIST && !is_interval(entry, desired_))
    return Failure(refusal.error);
  Refused& refused = refused_.try_emplace(entry, Refused{true, refusal.error}).first->second;
  if (!deletion || refusal.error.code != ENOENT) refused = {false, refusal.error};
  return {};
}

// A removal of a table or set takes along what is in it, which has no messages of its own then.
void NftWrite::blame_dependents(const Changes& changes) {
  std::map<const NftName*, Refused> sets;
  std::map<std::pair<std::uint8_t, std::string>, Refused> tables;
  for (const auto& change : changes) {
    const auto refused = refused_.find(entry_of(change));
    if (refused == refused_.end() || change.value != nullptr || !change.key.element.empty())
      continue;
    const NftName& name = *change.key.name;
    if (name.type == NftType::kSet) sets[&name] = refused->second;
    if (name.type == NftType::kTable) tables[{name.family, name.table}] = refused->second;
  }
  if (sets.empty() && tables.empty()) return;
  for (const auto& change : changes) {
    const NftName& name = *change.key.name;
    if (const auto set = sets.find(&name); set != sets.end())
      refused_.try_emplace(entry_of(change), set->second);
    if (const auto table = tables.find({name.family, name.table}); table != tables.end())
      refused_.try_emplace(entry_of(change), table->second);
  }
}

NftWrite::Changes NftWrite::without_refused(const Changes& changes) {
  Changes rest;
  rest.reserve(changes.size());
  for (const auto& change : changes) {
    const auto refused = refused_.find(entry_of(change));
    if (const Error* const error = left_out_.find(change.key))
      failures_.push_back({change.key, *error});
    else if (refused == refused_.end())
      rest.push_back(change);
    else if (!refused->second.gone)
      failures_.push_back({change.key, refused->second.error});
    else if (change.value != nullptr)
      rest.emplace_back(change.key, nullptr, change.value);
  }
  return rest;
}

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "tables/nft_transaction.h"

namespace weft::tables {

namespace {

using reconcile::Change;
using reconcile::Changes;
using reconcile::Desired;

// Neither can be changed while the object stands.
bool needs_rebuild(const Change<NftKind>& change) {
  if (!change.previous || !change.value) return false;
  const NftKind::Value& before = *change.previous;
  const NftKind::Value& after = *change.value;
  if (before.set() && after.set()) return !nft::same_definition(*after.set(), *before.set());
  if (!before.chain() || !after.chain()) return false;
  const auto& old_hook = before.chain()->hook;
  const auto& new_hook = after.chain()->hook;
  if (!old_hook || !new_hook) return old_hook.has_value() != new_hook.has_value();
  return old_hook->type != new_hook->type || old_hook->hook != new_hook->hook ||
         old_hook->priority != new_hook->priority;
}

}  // namespace

const Error* NftTransaction::LeftOut::find(const NftKind::Key& key) const {
  if (why_.empty()) return nullptr;
  auto found = why_.find(key);
  if (found == why_.end() && !key.element.empty()) found = why_.find({key.name, {}});
  return found == why_.end() ? nullptr : &found->second;
}

Result<NftTransaction> NftTransaction::plan(const Changes<NftKind>& changes,
                                            const Desired<NftKind>& desired,
                                            const LeftOut& left_out) {
  NftTransaction transaction;
  transaction.find_tables(changes);
  for (const Change<NftKind>& change : changes) WEFT_TRY(transaction.take(change, desired));
  if (transaction.rebuilt_.empty()) return transaction;
  Result<> result;
  desired.each([&](const NftKind::Key& key, const NftKind::Value& value) {
    if (result && transaction.rebuilds(*key.name) && left_out.find(key) == nullptr)
      result = transaction.add_whole(key, value, desired);
  });
  WEFT_TRY(std::move(result));
  return transaction;
}

// What decides how the other changes are taken.
void NftTransaction::find_tables(const Changes<NftKind>& changes) {
  for (const Change<NftKind>& change : changes) {
    if (!change.key.element.empty()) continue;
    const NftName& name = *change.key.name;
    if (name.type == NftType::kTable && !change.value)
      removed_tables_.emplace(name.family, name.table);
    if (name.type == NftType::kSet && !change.value) removed_sets_.insert(&name);
    if (needs_rebuild(change)) rebuilt_.emplace(name.family, name.table);
  }
}

Result<> NftTransaction::take(const Change<NftKind>& change, const Desired<NftKind>& desired) {
  const NftName* name = change.key.name;
  if (goes_whole(*name)) return {};
  if (!change.key.element.empty()) return take_element(change, desired);
  switch (name->type) {
    case NftType::kTable:
      tables_.push_back(name);
      break;
    case NftType::kChain:
      take_chain(change);
      break;
    case NftType::kSet:
      if (change.value) sets_.push_back({name, change.value->set().get()});
      break;
  }
  return {};
}

// With its table, or made anew with it.
bool NftTransaction::goes_whole(const NftName& name) const {
  if (removed_tables_.empty() && rebuilt_.empty()) return false;
  const Table table{name.family, name.table};
  return removed_tables_.contains(table) || rebuilt_.contains(table);
}

void NftTransaction::take_chain(const Change<NftKind>& change) {
  const NftName* name = change.key.name;
  flushed_.push_back(name);
  if (!change.value) {
    removed_chains_.push_back(name);
    return;
  }
  const NftChain* chain = change.value->chain().get();
  if (!change.previous || change.previous->chain()->hook != chain->hook)
    chains_.push_back({name, chain});
  rules_.push_back({name, chain});
}

Result<> NftTransaction::take_element(const Change<NftKind>& change,
                                      const Desired<NftKind>& desired) {
  if (removed_sets_.contains(change.key.name)) return {};
  WEFT_ASSIGN(Elements* const elements, elements_of(change.key.name, desired));
  const NftBytes* key = &change.key.element;
  elements->all.push_back({key, change.previous ? &change.previous->data() : nullptr,
                           change.value ? &change.value->data() : nullptr});
  return {};
}

Result<> NftTransaction::add_whole(const NftKind::Key& key, const NftKind::Value& value,
                                   const Desired<NftKind>& desired) {
  if (!key.element.empty()) {
    WEFT_ASSIGN(Elements* const elements, elements_of(key.name, desired));
    elements->all.push_back({&key.element, nullptr, &value.data()});
    return {};
  }
  switch (key.name->type) {
    case NftType::kTable:
      tables_.push_back(key.name);
      break;
    case NftType::kSet:
      sets_.push_back({key.name, value.set().get()});
      break;
    case NftType::kChain:
      chains_.push_back({key.name, value.chain().get()});
      rules_.push_back({key.name, value.chain().get()});
      break;
  }
  return {};
}

Result<NftTransaction::Elements*> NftTransaction::elements_of(const NftName* set,
                                                              const Desired<NftKind>& desired) {
  if (set == last_set_) return &elements_[last_index_];
  const auto [found, inserted] = elements_index_.try_emplace(set, elements_.size());
  if (inserted) {
    const NftKind::Value* definition = desired.find({set, {}});
    if (definition == nullptr || definition->set() == nullptr)
      return fail(NftKind::describe(NftKind::Key{set, {}}) +
                  ": has elements, but is in no plan itself");
    elements_.push_back({set, definition->set().get(), {}});
  }
  last_set_ = set;
  last_index_ = found->second;
  return &elements_[last_index_];
}

namespace {

// What was put into the batch last belongs to an entry.
void note(const nft::Batch& batch, NftTransaction::Trace* trace, const NftName* name,
          const NftBytes* element = nullptr) {
  if (trace == nullptr) return;
  const NftTransaction::Trace::Traced traced{batch.count() - 1, {name, element}};
  if (trace->entries.empty() || trace->entries.back() != traced) trace->entries.push_back(traced);
}

}  // namespace

void NftTransaction::encode_elements(nft::Batch& batch, Trace* trace, const Elements& elements,
                                     bool removal) {
  const nft::Batch::Elements target{elements.name->family, elements.name->table,
                                    elements.name->name, elements.set};
  for (const Element& element : elements.all) {
    const NftBytes* const value = removal ? element.removed : element.added;
    if (value == nullptr) continue;
    const bool alone = trace != nullptr && trace->alone.contains(element.key);
    if (alone) batch.end_list();
    if (removal)
      batch.delete_element(target, element.key->view(), value->view());
    else
      batch.add_element(target, element.key->view(), value->view());
    note(batch, trace, elements.name, element.key);
    if (alone) batch.end_list();
  }
}

void NftTransaction::encode(nft::Batch& batch, Trace* trace) const {
  constexpr std::size_t kBytesPerElement = 64;
  std::size_t count = 0;
  for (const Elements& elements : elements_)
    for (const Element& element : elements.all)
      count += (element.removed != nullptr ? 1U : 0U) + (element.added != nullptr ? 1U : 0U);
  batch.reserve(count * kBytesPerElement);

  for (const Table& table : rebuilt_) batch.delete_table(table.first, table.second);
  for (const NftName* table : tables_) {
    batch.add_table(table->family, table->table, 0);
    note(batch, trace, table);
  }
  for (const auto& [name, set] : sets_) {
    batch.add_set(name->family, name->table, name->name, *set);
    note(batch, trace, name);
  }
  for (const auto& [name, chain] : chains_) {
    batch.add_chain(name->family, name->table, name->name, *chain);
    note(batch, trace, name);
  }

  for (const Elements& elements : elements_) encode_elements(batch, trace, elements, true);
  for (const NftName* chain : flushed_) {
    batch.flush_chain(chain->family, chain->table, chain->name);
    note(batch, trace, chain);
  }
  for (const auto& [name, chain] : rules_)
    for (const nft::Rule& rule : chain->rules) {
      batch.add_rule(name->family, name->table, name->name, rule);
      note(batch, trace, name);
    }
  for (const Elements& elements : elements_) encode_elements(batch, trace, elements, false);

  for (const NftName* set : removed_sets_)
    if (!goes_whole(*set)) {
      batch.delete_set(set->family, set->table, set->name);
      note(batch, trace, set);
    }
  for (const NftName* chain : removed_chains_) {
    batch.delete_chain(chain->family, chain->table, chain->name);
    note(batch, trace, chain);
  }
  for (const Table& table : removed_tables_) {
    batch.delete_table(table.first, table.second);
    note(batch, trace, intern({table.first, NftType::kTable, table.second, ""}));
  }
}

}  // namespace weft::tables

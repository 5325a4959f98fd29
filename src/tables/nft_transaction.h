// SPDX-License-Identifier: Apache-2.0
//
// Changes of the nft kind, put in an order that the kernel takes: what is referred to comes before
// what refers to it, and goes after it.
//
//   tables made anew go whole · tables, sets, chains · elements gone or replaced · rules of changed
//   chains, all old ones out before any new one comes in · new elements · rules of removed chains ·
//   removed sets, chains, tables
//
// A removed table takes its content along, and a removed set its elements.
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "linux/nft/batch.h"
#include "reconcile/table.h"
#include "tables/nft.h"

namespace weft::tables {

class NftTransaction {
 public:
  // What does not come into a table that is made anew, and why; a set takes its elements along.
  class LeftOut {
   public:
    void add(NftKind::Key key, Error error) { why_.try_emplace(std::move(key), std::move(error)); }
    const Error* find(const NftKind::Key& key) const;  // null: it comes

   private:
    std::unordered_map<NftKind::Key, Error, NftKind::KeyHash> why_{};
  };

  // All that is given lives until encode() is done. Fails when an element's set is nowhere defined.
  static Result<NftTransaction> plan(const reconcile::Changes<NftKind>& changes,
                                     const reconcile::Desired<NftKind>& desired,
                                     const LeftOut& left_out);

  // An object, or an element of it: of a change the address of its key's bytes.
  using Entry = std::pair<const NftName*, const NftBytes*>;
  // Which message each entry went into, for who wants to know what a refusal was of.
  struct Trace {
    using Traced = std::pair<std::size_t, Entry>;
    std::vector<Traced> entries{};      // in the messages' order
    std::set<const NftBytes*> alone{};  // given: elements that each get a message of their own
  };
  // The same each time, but for what a trace wants alone.
  void encode(nft::Batch& batch, Trace* trace = nullptr) const;

  // Whether any table is made anew, and whether this object's is.
  bool rebuilds() const { return !rebuilt_.empty(); }
  bool rebuilds(const NftName& name) const { return rebuilt_.contains({name.family, name.table}); }

 private:
  using Table = std::pair<std::uint8_t, std::string>;  // family and name
  template <class Object>
  struct Item {
    const NftName* name = nullptr;
    const Object* object = nullptr;
  };
  struct Element {
    const NftBytes* key = nullptr;
    const NftBytes* removed = nullptr;  // the value that goes
    const NftBytes* added = nullptr;    // the value that comes
  };
  struct Elements {
    const NftName* name = nullptr;
    const NftSet* set = nullptr;
    std::vector<Element> all{};
  };

  void find_tables(const reconcile::Changes<NftKind>& changes);
  Result<> take(const reconcile::Change<NftKind>& change,
                const reconcile::Desired<NftKind>& desired);
  bool goes_whole(const NftName& name) const;
  void take_chain(const reconcile::Change<NftKind>& change);
  Result<> take_element(const reconcile::Change<NftKind>& change,
                        const reconcile::Desired<NftKind>& desired);
  Result<> add_whole(const NftKind::Key& key, const NftKind::Value& value,
                     const reconcile::Desired<NftKind>& desired);
  static void encode_elements(nft::Batch& batch, Trace* trace, const Elements& elements,
                              bool removal);
  Result<Elements*> elements_of(const NftName* set, const reconcile::Desired<NftKind>& desired);

  std::set<Table> rebuilt_{};
  std::set<Table> removed_tables_{};
  std::set<const NftName*> removed_sets_{};
  std::vector<const NftName*> tables_{};
  std::vector<Item<NftSet>> sets_{};
  std::vector<Item<NftChain>> chains_{};   // new, or with another policy
  std::vector<const NftName*> flushed_{};  // chains whose rules go
  std::vector<Item<NftChain>> rules_{};    // chains whose rules come
  std::vector<const NftName*> removed_chains_{};
  std::vector<Elements> elements_{};  // set by set
  std::map<const NftName*, std::size_t> elements_index_{};
  const NftName* last_set_ = nullptr;  // elements_of's last answer
  std::size_t last_index_ = 0;
};

}  // namespace weft::tables

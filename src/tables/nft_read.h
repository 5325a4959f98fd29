// SPDX-License-Identifier: Apache-2.0
//
// One reading of one nft table (in all of its families) in slices of some milliseconds: first the
// structure (table, chains with their rules, sets), then the elements set by set. What others
// commit meanwhile to tables of their own costs nothing; what they commit to this one is read
// again, by itself: the structure, and those sets (nft/watch.h says how that is known).
//
// A set that was filled a moment ago may be dumped with gaps although nobody touches it: the
// kernel's hash table grows in a worker behind the batch, and a dump goes on after a part by
// counting elements (nft_rhash_walk in net/netfilter/nft_set_hash.c; lib/rhashtable.c, "you may
// miss objects", rht_deferred_worker), so that some come twice and as many never. A dump of a hash
// set is therefore believed when it has as many different keys as the kernel counts
// (NFTA_SET_COUNT, Linux 6.17), or, where that is not told or means something else (a set with
// timeouts), when it is one part, a single walk, or has the same keys in the same order as the dump
// before it: then no table grew. Otherwise the set is dumped once more in a later turn; what was
// found stays, for nobody touched it.
//
// It has sockets of its own, so that a reading that nobody wants any more ends with it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "linux/nft/dump.h"
#include "linux/nft/watch.h"
#include "reconcile/table.h"
#include "tables/nft.h"

namespace weft::tables {

class NftRead {
 public:
  using Sink = reconcile::ReadSink<NftKind>;

  // In the namespace of `beside`.
  static Result<std::unique_ptr<NftRead>> begin(const netlink::Socket& beside, std::string table);

  // Does some milliseconds of work. True: all was found. Calls found() and forget() of the sink,
  // never done().
  Result<bool> go_on(Sink& sink);

  // For who has no event loop: returns when go_on() has something to do.
  void wait() const;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Step { kTables, kChains, kRules, kSets, kDeliver, kElements };
  struct Job {
    Step step = Step::kTables;
    std::uint8_t family = 0;
    const NftName* set = nullptr;
  };
  // How many different keys came, by their hashes; no further than how many there should be.
  class DistinctKeys {
   public:
    void expect(std::size_t count);
    void insert(std::uint64_t hash);
    std::size_t size() const { return size_; }

   private:
    std::vector<std::uint64_t> slots_{};
    std::size_t size_ = 0;
    std::size_t expected_ = 0;
  };
  struct SetState {
    std::shared_ptr<const NftSet> definition{};
    std::optional<std::uint32_t> count{};
    bool begun = false;    // its elements were dumped, in part at least
    bool changed = false;  // since then
    int dumps = 0;
    std::size_t parts = 0;     // of this dump, that had elements
    std::uint64_t digest = 0;  // of this dump's keys in their order
    std::optional<std::uint64_t> last_digest{};
    DistinctKeys keys{};
  };
  struct Structure {
    std::vector<nft::TableRecord> tables{};
    std::map<std::pair<std::uint8_t, std::string>, nft::ChainRecord> chains{};
    std::map<std::pair<std::uint8_t, std::string>, std::vector<nft::Rule>> rules{};
    std::vector<std::pair<std::uint8_t, nft::SetRecord>> sets{};
  };

  NftRead(netlink::Socket socket, nft::Watch watch, std::string table);

  Result<bool> step(Sink& sink);
  Result<> begin_job(Sink& sink);
  Result<> begin_elements(Sink& sink);
  Result<> take_part();
  Result<> finish_dump();
  Result<> judge(SetState& set);
  void deliver(Sink& sink);
  Result<bool> settle();
  Result<> take_notifications();
  void note(const netlink::MessageView& message);
  void mark(std::uint8_t family, std::string_view set);
  Error changing() const;

  netlink::Socket socket_;
  nft::Watch watch_;
  std::string table_;
  nft::Dump dump_{socket_};
  std::deque<Job> jobs_{Job{}};
  Job job_{};  // the one under way
  Structure structure_{};
  bool structure_changed_ = false;
  bool delivered_ = false;  // the structure was, once
  std::map<const NftName*, SetState> sets_{};
  std::optional<std::uint32_t> target_{};  // the generation to be covered, once all was dumped
  Clock::time_point waiting_since_{};
  bool yields_ = false;  // nothing to be done before the next turn
  int rounds_ = 0;       // of reading again what others changed
  int interrupted_ = 0;  // dumps of a list of everybody's
};

}  // namespace weft::tables

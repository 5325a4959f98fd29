// SPDX-License-Identifier: Apache-2.0
//
// The backends behind frontends, kept up to date endpoint by endpoint. A PoolUpdate is one pass:
// it takes what EndpointSlices were and are, and which frontends lead where, and in the end tells
// what became of each slot. A slice of one endpoint costs that endpoint (and the logarithm of its
// pool), whatever the number of endpoints and frontends.
//
// - Backends: the endpoints that are ready, of the slices of the pool's Service and family, at the
//   slice port of the pool's name and protocol. Several slices may list one: it is one backend, and
//   local where any slice says so.
// - A backend keeps its slot while it stays. The ones that come fill the slots of those that go;
//   where more go, the last ones do.
// - A pool stands while a frontend leads to it; in a pass it may be without.
//
// One thread; an update lives within one compile step.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "model/cluster_state.h"
#include "model/service_table.h"

namespace weft::model {

// How often slices list the backend of a slot.
struct Listed {
  std::uint32_t slot = 0;
  std::uint32_t times = 0;
  std::uint32_t as_local = 0;
};

// Those of a pool, in order of address and port: where a backend is, without looking at all.
using PoolIndex = std::vector<Listed>;

class PoolUpdate {
 public:
  using Pools = std::map<PoolKey, Pool>;
  using Indexes = std::map<PoolKey, PoolIndex>;

  // `pools` and `indexes`, one of each key, are brought up to date. `node` is this node's name.
  PoolUpdate(Pools& pools, Indexes& indexes, const ClusterState& state, std::string_view node)
      : pools_(pools), indexes_(indexes), state_(state), node_(node) {}

  // First: the pools there are, one or the other.
  void apply(const ClusterChanges::Before<EndpointSlice>& changed);
  void collect_again();  // every backend may be local now, or no longer

  // Then who leads where. A new pool is collected; it has its backends where `left`, which may be
  // null, has them.
  void attach(const PoolKey& key, const Frontend& frontend, const std::vector<Backend>* left);
  void detach(const PoolKey& key, const Frontend& frontend);

  // Last: pools without a frontend go.
  std::vector<PoolChange> finish();

 private:
  struct ByTarget {
    bool operator()(const Backend& a, const Backend& b) const;
  };
  struct Tally {
    std::int64_t times = 0;
    std::int64_t as_local = 0;
  };
  using Tallies = std::map<Backend, Tally, ByTarget>;
  struct Filler {  // who gets a slot
    Backend backend{};
    Listed listed{};
  };
  // A pool as it was before this update first touched it: what `slots` has, and else as it is.
  struct Touched {
    std::size_t size_before = 0;
    std::map<std::uint32_t, std::optional<Backend>> slots{};
    std::optional<std::vector<Frontend>> frontends{};
    std::optional<Backend> before(std::uint32_t slot, const Pool& pool) const;
  };

  // A pool whose backends change.
  struct Settling {
    Pool& pool;
    PoolIndex& index;
    Touched& touched;
    std::vector<Filler> fillers{};  // who comes, and who must leave a slot past the new end
    std::vector<std::uint32_t> holes{};
    void note(std::uint32_t slot);  // before it is written
  };

  void tally(const EndpointSlice& slice, std::size_t first, std::size_t last, int sign,
             std::map<PoolKey, Tallies>& tallies) const;
  void tally_difference(const EndpointSlice& was, const EndpointSlice& is,
                        std::map<PoolKey, Tallies>& tallies) const;
  Tallies collect(const PoolKey& key) const;
  void settle(const PoolKey& key, const Tallies& tallies);
  static void take(const Backend& target, const Tally& tally, Settling& settling);
  static void resize(Settling& settling);
  static void fill(Settling& settling);
  void create(const PoolKey& key, const std::vector<Backend>* left);
  Touched& touch(const PoolKey& key, const Pool& pool);
  std::vector<Frontend>& touch_frontends(const PoolKey& key);
  PoolChange change_of(const PoolKey& key, const Touched& touched, const Pool& pool,
                       std::size_t size_now) const;

  Pools& pools_;
  Indexes& indexes_;
  const ClusterState& state_;
  std::string_view node_;
  std::map<PoolKey, Touched> touched_{};
};

}  // namespace weft::model

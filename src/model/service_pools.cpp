// SPDX-License-Identifier: Apache-2.0
#include "model/service_pools.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <tuple>

namespace weft::model {
namespace {

constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

ObjectName service_of(const EndpointSlice& slice) {
  return {slice.name.name_space, slice.service_name};
}

// The backends of one port that a range of a slice's endpoints makes, to `each`.
template <class Each>
void each_backend(const EndpointSlice& slice, std::size_t first, std::size_t last,
                  const PoolKey& pool, std::string_view node, Each each) {
  const auto port =
      std::find_if(slice.ports.begin(), slice.ports.end(), [&](const EndpointPort& candidate) {
        return candidate.name == pool.port_name && candidate.protocol == pool.protocol;
      });
  if (port == slice.ports.end()) return;
  for (std::size_t i = first; i < last; ++i) {
    const Endpoint& endpoint = slice.endpoints[i];
    if (endpoint.ready)
      each(Backend{endpoint.address, port->port,
                   !node.empty() && endpoint.node_name.view() == node});
  }
}

// How many endpoints at the beginning and at the end of both are the same; they make the same
// backends.
std::pair<std::size_t, std::size_t> same_ends(const EndpointSlice& was, const EndpointSlice& is) {
  if (was.ports != is.ports || was.family != is.family || was.service_name != is.service_name)
    return {0, 0};
  const std::size_t shorter = std::min(was.endpoints.size(), is.endpoints.size());
  std::size_t head = 0;
  while (head < shorter && was.endpoints[head] == is.endpoints[head]) ++head;
  std::size_t tail = 0;
  while (tail < shorter - head && was.endpoints.rbegin()[static_cast<std::ptrdiff_t>(tail)] ==
                                      is.endpoints.rbegin()[static_cast<std::ptrdiff_t>(tail)])
    ++tail;
  return {head, tail};
}

// Where in `index` the backend is or would be.
template <class Less>
auto position(PoolIndex& index, const std::vector<Backend>& backends, const Backend& target,
              Less less) {
  return std::lower_bound(
      index.begin(), index.end(), target,
      [&](const Listed& listed, const Backend& key) { return less(backends[listed.slot], key); });
}

// A slot for each of `sorted`: its own in `left` where that is still one, the others fill the rest.
template <class Less>
std::vector<std::uint32_t> slots_like(const std::vector<Backend>& left,
                                      const std::vector<Backend>& sorted, Less less) {
  std::vector<std::uint32_t> slot_of(sorted.size(), kNoSlot);
  std::vector<bool> taken(sorted.size());
  for (std::uint32_t slot = 0; slot < std::min(left.size(), sorted.size()); ++slot) {
    const auto same = std::lower_bound(sorted.begin(), sorted.end(), left[slot], less);
    if (same == sorted.end() || less(left[slot], *same)) continue;
    std::uint32_t& at = slot_of[static_cast<std::size_t>(same - sorted.begin())];
    if (at != kNoSlot) continue;  // twice in a table that somebody tampered with
    at = slot;
    taken[slot] = true;
  }
  std::uint32_t free = 0;
  for (std::uint32_t& slot : slot_of) {
    if (slot != kNoSlot) continue;
    while (taken[free]) ++free;
    slot = free++;
  }
  return slot_of;
}

}  // namespace

bool PoolUpdate::ByTarget::operator()(const Backend& a, const Backend& b) const {
  return std::tie(a.address, a.port) < std::tie(b.address, b.port);
}

std::optional<Backend> PoolUpdate::Touched::before(std::uint32_t slot, const Pool& pool) const {
  if (const auto noted = slots.find(slot); noted != slots.end()) return noted->second;
  return slot < size_before ? std::optional(pool.backends[slot]) : std::nullopt;
}

PoolUpdate::Touched& PoolUpdate::touch(const PoolKey& key, const Pool& pool) {
  const auto [at, first] = touched_.try_emplace(key);
  if (first) at->second.size_before = pool.backends.size();
  return at->second;
}

void PoolUpdate::apply(const ClusterChanges::Before<EndpointSlice>& changed) {
  std::map<PoolKey, Tallies> tallies;
  for (const auto& [service, slices] : changed)
    for (const auto& [name, before] : slices) {
      const auto& current = state_.endpoint_slices(service);
      const auto now = current.find(name);
      if (now == current.end())
        tally(**before, 0, (*before)->endpoints.size(), -1, tallies);
      else if (!before)
        tally(*now->second, 0, now->second->endpoints.size(), 1, tallies);
      else
        tally_difference(**before, *now->second, tallies);
    }
  for (const auto& [key, changes] : tallies) settle(key, changes);
}

void PoolUpdate::tally_difference(const EndpointSlice& was, const EndpointSlice& is,
                                  std::map<PoolKey, Tallies>& tallies) const {
  const auto [head, tail] = same_ends(was, is);
  tally(was, head, was.endpoints.size() - tail, -1, tallies);
  tally(is, head, is.endpoints.size() - tail, 1, tallies);
}

void PoolUpdate::tally(const EndpointSlice& slice, std::size_t first, std::size_t last, int sign,
                       std::map<PoolKey, Tallies>& tallies) const {
  const ObjectName service = service_of(slice);
  for (auto pool = pools_.lower_bound(PoolKey{.service = service});
       pool != pools_.end() && pool->first.service == service; ++pool) {
    const PoolKey& key = pool->first;
    if (key.family != slice.family) continue;
    each_backend(slice, first, last, key, node_, [&](const Backend& backend) {
      Tally& tally = tallies[key][backend];
      tally.times += sign;
      tally.as_local += backend.local ? sign : 0;
    });
  }
}

PoolUpdate::Tallies PoolUpdate::collect(const PoolKey& key) const {
  Tallies tallies;
  for (const auto& [name, slice] : state_.endpoint_slices(key.service))
    if (slice->family == key.family)
      each_backend(*slice, 0, slice->endpoints.size(), key, node_, [&](const Backend& backend) {
        Tally& tally = tallies[backend];
        ++tally.times;
        tally.as_local += backend.local ? 1 : 0;
      });
  return tallies;
}

void PoolUpdate::collect_again() {
  for (const auto& [key, pool] : pools_) {
    Tallies tallies = collect(key);
    for (const Listed& listed : indexes_.at(key)) {
      Tally& tally = tallies[pool.backends[listed.slot]];
      tally.times -= listed.times;
      tally.as_local -= listed.as_local;
    }
    settle(key, tallies);
  }
}

void PoolUpdate::Settling::note(std::uint32_t slot) {
  touched.slots.try_emplace(
      slot, slot < pool.backends.size() ? std::optional(pool.backends[slot]) : std::nullopt);
}

void PoolUpdate::settle(const PoolKey& key, const Tallies& tallies) {
  Pool& pool = pools_.at(key);
  Settling settling{pool, indexes_.at(key), touch(key, pool), {}, {}};
  for (const auto& [target, tally] : tallies)
    if (tally.times != 0 || tally.as_local != 0) take(target, tally, settling);
  resize(settling);
  fill(settling);
}

// One that comes waits for a slot, one that goes leaves a hole.
void PoolUpdate::take(const Backend& target, const Tally& tally, Settling& settling) {
  auto& [pool, index, touched, fillers, holes] = settling;
  const auto at = position(index, pool.backends, target, ByTarget());
  if (at == index.end() || ByTarget()(target, pool.backends[at->slot])) {
    fillers.push_back(
        {{target.address, target.port, tally.as_local > 0},
         {0, static_cast<std::uint32_t>(tally.times), static_cast<std::uint32_t>(tally.as_local)}});
    return;
  }
  at->times = static_cast<std::uint32_t>(at->times + tally.times);
  at->as_local = static_cast<std::uint32_t>(at->as_local + tally.as_local);
  const std::uint32_t slot = at->slot;
  const bool local = at->as_local > 0;
  if (at->times == 0) {
    settling.note(slot);
    holes.push_back(slot);
    index.erase(at);
  } else if (pool.backends[slot].local != local) {
    settling.note(slot);
    pool.backends[slot].local = local;
  }
}

// Where the end comes closer, those past it wait for another slot; where it goes on, there are more
// holes.
void PoolUpdate::resize(Settling& settling) {
  auto& [pool, index, touched, fillers, holes] = settling;
  std::vector<Backend>& backends = pool.backends;
  const std::size_t before = backends.size();
  const std::size_t now = before + fillers.size() - holes.size();
  std::sort(holes.begin(), holes.end());
  for (std::size_t i = now; i < before; ++i) {
    const auto slot = static_cast<std::uint32_t>(i);
    settling.note(slot);
    if (std::binary_search(holes.begin(), holes.end(), slot)) continue;
    const auto at = position(index, backends, backends[i], ByTarget());
    fillers.push_back({backends[i], *at});
    index.erase(at);
  }
  std::erase_if(holes, [&](std::uint32_t slot) { return slot >= now; });
  for (std::size_t i = before; i < now; ++i) {
    holes.push_back(static_cast<std::uint32_t>(i));
    settling.note(holes.back());
  }
  backends.resize(now);
}

void PoolUpdate::fill(Settling& settling) {
  auto& [pool, index, touched, fillers, holes] = settling;
  std::sort(fillers.begin(), fillers.end(),
            [](const Filler& a, const Filler& b) { return ByTarget()(a.backend, b.backend); });
  for (std::size_t i = 0; i < fillers.size(); ++i) {
    const auto& [backend, listed] = fillers[i];
    index.insert(position(index, pool.backends, backend, ByTarget()),
                 {holes[i], listed.times, listed.as_local});
    pool.backends[holes[i]] = backend;
  }
}

void PoolUpdate::create(const PoolKey& key, const std::vector<Backend>* left) {
  const Tallies tallies = collect(key);
  std::vector<Backend> sorted;
  sorted.reserve(tallies.size());
  for (const auto& [target, tally] : tallies)
    sorted.push_back({target.address, target.port, tally.as_local > 0});
  const auto slot_of = slots_like(left == nullptr ? sorted : *left, sorted, ByTarget());

  PoolIndex& index = indexes_[key];
  index.reserve(sorted.size());
  std::vector<Backend>& backends = pools_[key].backends;
  backends.resize(sorted.size());
  auto slot = slot_of.begin();
  for (const auto& [target, tally] : tallies) {
    backends[*slot] = sorted[index.size()];
    index.push_back({*slot++, static_cast<std::uint32_t>(tally.times),
                     static_cast<std::uint32_t>(tally.as_local)});
  }
  touched_.try_emplace(key);
}

std::vector<Frontend>& PoolUpdate::touch_frontends(const PoolKey& key) {
  Pool& pool = pools_.at(key);
  Touched& touched = touch(key, pool);
  if (!touched.frontends) touched.frontends = pool.frontends;
  return pool.frontends;
}

void PoolUpdate::attach(const PoolKey& key, const Frontend& frontend,
                        const std::vector<Backend>* left) {
  if (!pools_.contains(key)) create(key, left);
  auto& frontends = touch_frontends(key);
  frontends.insert(std::lower_bound(frontends.begin(), frontends.end(), frontend), frontend);
}

void PoolUpdate::detach(const PoolKey& key, const Frontend& frontend) {
  auto& frontends = touch_frontends(key);
  frontends.erase(std::lower_bound(frontends.begin(), frontends.end(), frontend));
}

PoolChange PoolUpdate::change_of(const PoolKey& key, const Touched& touched, const Pool& pool,
                                 std::size_t size_now) const {
  PoolChange change{key, {}, touched.size_before, size_now, {}};
  const auto add = [&](std::uint32_t slot) {
    const auto previous = touched.before(slot, pool);
    const auto current = slot < size_now ? std::optional(pool.backends[slot]) : std::nullopt;
    if (previous != current) change.slots.push_back({slot, previous, current});
  };
  if (touched.size_before > 0 && size_now > 0) {
    for (const auto& [slot, previous] : touched.slots) add(slot);
  } else {
    change.slots.reserve(std::max(touched.size_before, size_now));
    for (std::uint32_t slot = 0; slot < std::max(touched.size_before, size_now); ++slot) add(slot);
  }
  const auto& before = touched.frontends ? *touched.frontends : pool.frontends;
  if (!change.slots.empty())
    std::set_intersection(before.begin(), before.end(), pool.frontends.begin(),
                          pool.frontends.end(), std::back_inserter(change.frontends));
  return change;
}

std::vector<PoolChange> PoolUpdate::finish() {
  std::vector<PoolChange> changes;
  for (const auto& [key, touched] : touched_) {
    const auto pool = pools_.find(key);
    const bool gone = pool->second.frontends.empty();
    PoolChange change =
        change_of(key, touched, pool->second, gone ? 0 : pool->second.backends.size());
    if (!change.slots.empty()) changes.push_back(std::move(change));
    if (!gone) continue;
    indexes_.erase(key);
    pools_.erase(pool);
  }
  return changes;
}

}  // namespace weft::model

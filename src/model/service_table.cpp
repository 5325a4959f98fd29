// SPDX-License-Identifier: Apache-2.0
#include "model/service_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "model/counted.h"

namespace weft::model {
namespace {

std::string with_port(const IpAddress& address, std::uint16_t port) {
  return address.is_v6() ? fmt::format("[{}]:{}", address.to_string(), port)
                         : fmt::format("{}:{}", address.to_string(), port);
}

// Every key of two maps in order, with its two values, of which one may be missing.
template <class Map, class Each>
void each_pair(const Map& before, const Map& now, Each each) {
  auto was = before.begin();
  auto is = now.begin();
  while (was != before.end() || is != now.end()) {
    if (is == now.end() || (was != before.end() && was->first < is->first)) {
      each(was->first, &was->second, nullptr);
      ++was;
    } else if (was == before.end() || is->first < was->first) {
      each(is->first, nullptr, &is->second);
      ++is;
    } else {
      each(is->first, &was->second, &is->second);
      ++was;
      ++is;
    }
  }
}

template <class T>
std::optional<T> copy(const T* value) {
  return value == nullptr ? std::nullopt : std::optional(*value);
}

const std::vector<Backend>& backends_of(const Pool* pool) {
  static const std::vector<Backend> none;
  return pool == nullptr ? none : pool->backends;
}

std::vector<SlotChange> changed_slots(const std::vector<Backend>& before,
                                      const std::vector<Backend>& now) {
  std::vector<SlotChange> slots;
  if (before.empty()) slots.reserve(now.size());
  for (std::size_t i = 0; i < std::max(before.size(), now.size()); ++i) {
    const Backend* was = i < before.size() ? &before[i] : nullptr;
    const Backend* is = i < now.size() ? &now[i] : nullptr;
    if (was == nullptr || is == nullptr || *was != *is)
      slots.push_back({static_cast<std::uint32_t>(i), copy(was), copy(is)});
  }
  return slots;
}

}  // namespace

std::string Frontend::to_string() const {
  return fmt::format("{}/{}", with_port(address, port), model::to_string(protocol));
}

std::string Backend::to_string() const { return with_port(address, port); }

bool same_target(const Backend& a, const Backend& b) {
  return a.address == b.address && a.port == b.port;
}

const PoolChange* ServiceDelta::find(const PoolKey& pool) const {
  const auto at = std::lower_bound(
      pools.begin(), pools.end(), pool,
      [](const PoolChange& change, const PoolKey& key) { return change.pool < key; });
  return at != pools.end() && at->pool == pool ? &*at : nullptr;
}

std::size_t size_before(const ServiceTable& table, const ServiceDelta& delta, const PoolKey& pool) {
  if (const PoolChange* change = delta.find(pool)) return change->size_before;
  const auto now = table.pools.find(pool);
  return now == table.pools.end() ? 0 : now->second.backends.size();
}

std::vector<Backend> backends_before(const ServiceTable& table, const ServiceDelta& delta,
                                     const PoolKey& pool) {
  const auto now = table.pools.find(pool);
  std::vector<Backend> backends;
  if (now != table.pools.end()) backends = now->second.backends;
  if (const PoolChange* change = delta.find(pool)) {
    backends.resize(change->size_before);
    for (const SlotChange& slot : change->slots)
      if (slot.previous) backends[slot.slot] = *slot.previous;
  }
  return backends;
}

ServiceDelta difference(const ServiceTable& before, const ServiceTable& now) {
  ServiceDelta delta;
  if (before.frontends.empty()) delta.frontends.reserve(now.frontends.size());
  each_pair(before.frontends, now.frontends,
            [&](const Frontend& frontend, const FrontendEntry* was, const FrontendEntry* is) {
              if (was == nullptr || is == nullptr || *was != *is)
                delta.frontends.push_back({frontend, copy(was), copy(is)});
            });
  if (before.pools.empty()) delta.pools.reserve(now.pools.size());
  each_pair(before.pools, now.pools, [&](const PoolKey& key, const Pool* was, const Pool* is) {
    const auto& previous = backends_of(was);
    const auto& current = backends_of(is);
    auto slots = changed_slots(previous, current);
    if (slots.empty()) return;
    delta.pools.push_back({key, {}, previous.size(), current.size(), std::move(slots)});
    if (was != nullptr && is != nullptr)
      std::set_intersection(was->frontends.begin(), was->frontends.end(), is->frontends.begin(),
                            is->frontends.end(), std::back_inserter(delta.pools.back().frontends));
  });
  each_pair(before.cluster_ips, now.cluster_ips,
            [&](const IpAddress& address, const std::size_t* was, const std::size_t* is) {
              if (was == nullptr || is == nullptr)
                delta.cluster_ips.insert(delta.cluster_ips.end(), address);
            });
  return delta;
}

void count_cluster_ip(ServiceTable& table, ServiceDelta& delta, const Frontend& frontend,
                      const FrontendEntry& entry) {
  if (entry.kind == FrontendKind::kClusterIp)
    count(table.cluster_ips, delta.cluster_ips, frontend.address);
}

void uncount_cluster_ip(ServiceTable& table, ServiceDelta& delta, const Frontend& frontend,
                        const FrontendEntry& entry) {
  if (entry.kind == FrontendKind::kClusterIp)
    uncount(table.cluster_ips, delta.cluster_ips, frontend.address);
}

void add_with_own_pool(ServiceTable& table, const Frontend& frontend, Served served) {
  PoolKey pool{{}, frontend.to_string(), frontend.protocol, frontend.address.family()};
  FrontendEntry entry{served.kind, served.masquerade, pool};
  const auto [at, inserted] = table.frontends.try_emplace(frontend, std::move(entry));
  if (!inserted) return;
  ServiceDelta ignored;
  count_cluster_ip(table, ignored, frontend, at->second);
  table.pools.try_emplace(std::move(pool), Pool{std::move(served.backends), {frontend}});
}

}  // namespace weft::model

// SPDX-License-Identifier: Apache-2.0
#include "model/service_table.h"

#include <fmt/format.h>

namespace weft::model {
namespace {

std::string with_port(const IpAddress& address, std::uint16_t port) {
  return address.is_v6() ? fmt::format("[{}]:{}", address.to_string(), port)
                         : fmt::format("{}:{}", address.to_string(), port);
}

template <class Key>
void toggle(std::set<Key>& keys, const Key& key) {
  if (keys.erase(key) == 0) keys.insert(key);
}

template <class Key>
void add(std::map<Key, std::size_t>& counts, std::set<Key>& changed, const Key& key) {
  if (counts[key]++ == 0) toggle(changed, key);
}

template <class Key>
void subtract(std::map<Key, std::size_t>& counts, std::set<Key>& changed, const Key& key) {
  const auto at = counts.find(key);
  if (--at->second > 0) return;
  counts.erase(at);
  toggle(changed, key);
}

// Every key of the counted maps that `entry` needs, to `each(counts, changed, key)`.
template <class Each>
void each_count(ServiceTable& table, ServiceDelta& delta, const Frontend& frontend,
                const FrontendEntry& entry, Each each) {
  if (entry.kind == FrontendKind::kClusterIp)
    each(table.cluster_ips, delta.cluster_ips, frontend.address);
  if (!entry.backends.empty())
    each(table.backend_counts, delta.backend_counts,
         ServiceTable::BackendCount{frontend.address.family(), entry.backends.size()});
  for (const Backend& backend : entry.backends)
    if (backend.local) each(table.local_backends, delta.local_backends, backend.address);
}

template <class Key>
std::set<Key> keys_of(const std::map<Key, std::size_t>& counts) {
  std::set<Key> keys;
  for (const auto& [key, times] : counts) keys.insert(keys.end(), key);
  return keys;
}

}  // namespace

std::string Frontend::to_string() const {
  return fmt::format("{}/{}", with_port(address, port), model::to_string(protocol));
}

std::string Backend::to_string() const { return with_port(address, port); }

void count(ServiceTable& table, ServiceDelta& delta, const Frontend& frontend,
           const FrontendEntry& entry) {
  each_count(table, delta, frontend, entry,
             [](auto& counts, auto& changed, const auto& key) { add(counts, changed, key); });
}

void uncount(ServiceTable& table, ServiceDelta& delta, const Frontend& frontend,
             const FrontendEntry& entry) {
  each_count(table, delta, frontend, entry,
             [](auto& counts, auto& changed, const auto& key) { subtract(counts, changed, key); });
}

ServiceDelta from_scratch(const ServiceTable& table) {
  ServiceDelta delta;
  delta.frontends.reserve(table.frontends.size());
  for (const auto& [frontend, entry] : table.frontends)
    delta.frontends.push_back({frontend, std::nullopt, entry});
  delta.cluster_ips = keys_of(table.cluster_ips);
  delta.backend_counts = keys_of(table.backend_counts);
  delta.local_backends = keys_of(table.local_backends);
  return delta;
}

}  // namespace weft::model

// SPDX-License-Identifier: Apache-2.0
//
// Keys that many share: how many hold each, and which came or went meanwhile, so that what stands
// once for all of them is written with the first and removed with the last. One thread.
#pragma once

#include <cstddef>
#include <map>
#include <set>

namespace weft::model {

// One that comes and goes, or goes and comes, has not changed.
template <class Key>
void toggle(std::set<Key>& changed, const Key& key) {
  if (changed.erase(key) == 0) changed.insert(key);
}

template <class Key>
void count(std::map<Key, std::size_t>& counts, std::set<Key>& changed, const Key& key) {
  if (counts[key]++ == 0) toggle(changed, key);
}

// `key` must have been counted.
template <class Key>
void uncount(std::map<Key, std::size_t>& counts, std::set<Key>& changed, const Key& key) {
  const auto at = counts.find(key);
  if (--at->second > 0) return;
  counts.erase(at);
  toggle(changed, key);
}

}  // namespace weft::model

// SPDX-License-Identifier: Apache-2.0
//
// How every rtnetlink driver writes: each change is encoded into one batch, the batch is one
// execute(), and a refusal is told of the change it belongs to: the first one, which those after it
// follow from. Removing what is gone is success.
#pragma once

#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "linux/netlink/socket.h"
#include "reconcile/table.h"

namespace weft::tables {

inline bool is_gone(const Error& error) {
  return error.code == ENOENT || error.code == ENODEV || error.code == ESRCH ||
         error.code == EADDRNOTAVAIL;
}

// RTM_DELLINK, RTM_DELADDR, …: types come in fours (new, delete, get, set).
inline bool is_removal(const nlmsghdr& header) { return header.nlmsg_type % 4 == 1; }

// Takes the failures of changes for which `again(change, error)` holds out of `failures`: those
// changes, to be written another way.
template <class Kind, class Again>
reconcile::Changes<Kind> take_failed(const reconcile::Changes<Kind>& changes,
                                     std::vector<reconcile::WriteFailure<Kind>>& failures,
                                     Again again) {
  reconcile::Changes<Kind> taken;
  if (failures.empty()) return taken;
  std::map<typename Kind::Key, const reconcile::Change<Kind>*> by_key;
  for (const auto& change : changes) by_key[change.key] = &change;
  std::erase_if(failures, [&](const auto& failure) {
    if (!failure.key) return false;
    const auto& change = *by_key.at(*failure.key);
    if (!again(change, failure.error)) return false;
    taken.push_back(change);
    return true;
  });
  return taken;
}

// `encode(change, batch)` puts the messages of one change, or fails and puts none.
template <class Kind, class Encode>
void write_batch(netlink::Socket& socket, const reconcile::Changes<Kind>& changes,
                 const reconcile::WriteDone<Kind>& done, Encode encode) {
  std::vector<reconcile::WriteFailure<Kind>> failures;
  netlink::Batch batch;
  std::vector<std::size_t> change_of;  // by message
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Result<> encoded = encode(changes[i], batch);
    change_of.resize(batch.count(), i);
    if (!encoded) failures.push_back({changes[i].key, std::move(encoded.error())});
  }
  auto refusals = socket.execute(batch);
  if (!refusals) {
    failures.push_back({std::nullopt, std::move(refusals.error())});
    return done(std::move(failures));
  }
  std::optional<std::size_t> told;
  for (netlink::Refusal& refusal : *refusals) {
    if (is_removal(batch.header(refusal.index)) && is_gone(refusal.error)) continue;
    const std::size_t change = change_of[refusal.index];
    if (std::exchange(told, change) == change) continue;
    failures.push_back({changes[change].key, std::move(refusal.error)});
  }
  done(std::move(failures));
}

}  // namespace weft::tables

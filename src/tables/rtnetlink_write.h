// SPDX-License-Identifier: Apache-2.0
//
// How every rtnetlink driver writes: each change is encoded into one batch, the batch is one
// execute(), and a refusal is told of the change it belongs to: the first one, which those after it
// follow from. A change of which the kernel took another message is half done. Removing what is
// gone is success.
#pragma once

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
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

// Changes that failed, to be written another way.
template <class Kind>
struct Again {
  reconcile::Changes<Kind> changes{};
  std::set<typename Kind::Key> half_done{};  // those of them of which a part was written
};

// Takes the failures of changes for which `again(change, error)` holds out of `failures`.
template <class Kind, class Holds>
Again<Kind> take_failed(const reconcile::Changes<Kind>& changes,
                        std::vector<reconcile::WriteFailure<Kind>>& failures, Holds again) {
  Again<Kind> taken;
  if (failures.empty()) return taken;
  std::map<typename Kind::Key, const reconcile::Change<Kind>*> by_key;
  for (const auto& change : changes) by_key[change.key] = &change;
  std::erase_if(failures, [&](const auto& failure) {
    if (!failure.key) return false;
    const auto& change = *by_key.at(*failure.key);
    if (!again(change, failure.error)) return false;
    taken.changes.push_back(change);
    if (failure.half_done) taken.half_done.insert(change.key);
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
  for (auto at = refusals->begin(); at != refusals->end();) {
    const std::size_t change = change_of[at->index];
    const auto messages = std::equal_range(change_of.begin(), change_of.end(), change);
    auto accepted = messages.second - messages.first;
    const netlink::Refusal* first = nullptr;
    for (; at != refusals->end() && change_of[at->index] == change; ++at, --accepted)
      if (first == nullptr && !(is_removal(batch.header(at->index)) && is_gone(at->error)))
        first = &*at;
    if (first != nullptr) failures.push_back({changes[change].key, first->error, accepted > 0});
  }
  done(std::move(failures));
}

// What write_batch() does, with what was taken out of `failures`.
template <class Kind, class Encode>
void write_again(netlink::Socket& socket, const Again<Kind>& again,
                 std::vector<reconcile::WriteFailure<Kind>>& failures, Encode encode) {
  if (again.changes.empty()) return;
  const auto add = [&](std::vector<reconcile::WriteFailure<Kind>> refused) {
    for (auto& failure : refused) {
      if (failure.key && again.half_done.contains(*failure.key)) failure.half_done = true;
      failures.push_back(std::move(failure));
    }
  };
  write_batch<Kind>(socket, again.changes, add, encode);
}

}  // namespace weft::tables

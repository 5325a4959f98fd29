// SPDX-License-Identifier: Apache-2.0
//
// One write to nf_tables where a failure stays small: what the kernel refuses of a batch is left
// out, and the rest committed at once. The kernel goes through the whole batch and names every
// message that it refused (nfnetlink_rcv_batch in net/netfilter/nfnetlink.c), so that a round costs
// one more batch, and only after a refusal: a message is traced to its change by encoding the same
// once more, the elements of a refused list each in a message of their own.
//
//   refused                       means
//   a deletion: ENOENT            gone already, which is what was wanted
//   an addition: EEXIST           somebody else's value is there: our idea of the kernel is wrong
//   EPERM; the batch's ends       of no change: another process holds the table; no valid ruleset
//   any other                     this change; what depends on it is refused in the next round
//
// A wrong idea, a refusal of no change, or too many rounds: then nothing is written, and the
// failure has no key. Two intervals that overlap say EEXIST as well, which is the one's fault that
// comes later.
//
// Into a table that is made anew comes all that is desired, also what is in no change, and was
// refused before perhaps. What is refused of it is half done, whether it was to change or not: the
// kernel has nothing of it then.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "linux/netlink/socket.h"
#include "reconcile/table.h"
#include "tables/nft.h"
#include "tables/nft_transaction.h"

namespace weft::tables {

class NftWrite {
 public:
  using Changes = reconcile::Changes<NftKind>;
  using Failures = std::vector<reconcile::WriteFailure<NftKind>>;

  // Both outlive it.
  NftWrite(netlink::Socket& socket, const reconcile::Desired<NftKind>& desired)
      : socket_(socket), desired_(desired) {}

  Failures run(const Changes& changes);

 private:
  struct Refused {
    bool gone = false;  // otherwise left out
    Error error{};
  };

  Result<bool> commit(const Changes& changes, bool traced);  // false: something was refused
  void leave_out(const NftTransaction& transaction);
  void name_left_out(const NftTransaction& transaction);
  Result<> blame(const nft::Batch& batch, const netlink::Refusal& refusal);
  void blame_dependents(const Changes& changes);
  Changes without_refused(const Changes& changes);

  netlink::Socket& socket_;
  const reconcile::Desired<NftKind>& desired_;
  NftTransaction::Trace trace_{};
  std::map<NftTransaction::Entry, Refused> refused_{};  // of the last round
  NftTransaction::LeftOut left_out_{};
  Failures failures_{};
};

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
//
// Who waits for which entries of one table, kept small: entries are not noted one by one. Each
// merge that somebody waits for has a number, each entry that is still to be written carries the
// number of the merge that asked for it last, and the numbers are counted. An entry that is asked
// for again, as it is, by another merge gets a number of its own that both tickets wait for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "reconcile/ticket.h"

namespace weft::reconcile {

class Waiting {
 public:
  using Number = std::uint64_t;  // 0: nobody waits

  // The number of the merge that comes now, for whoever holds `ticket`.
  Number begin(TicketId ticket) {
    splits_.clear();
    if (ticket == 0) return 0;
    numbers_[ticket].push_back(++last_);
    return last_;
  }

  void open(Number number) {
    if (number != 0) ++count_[number];
  }
  void close(Number number) {
    if (number == 0) return;
    const auto found = count_.find(number);
    if (found != count_.end() && --found->second == 0) count_.erase(found);
  }

  // An entry that is open as `before` is asked for again by the merge `now`: its new number.
  Number share(Number before, Number now) {
    if (now == 0 || before == now) return before;
    Number& both = before == 0 ? now : splits_[{before, now}];
    if (both == 0) {
      both = ++last_;
      for (auto& [ticket, numbers] : numbers_)
        if (std::find(numbers.begin(), numbers.end(), before) != numbers.end() ||
            std::find(numbers.begin(), numbers.end(), now) != numbers.end()) {
          std::erase_if(numbers,
                        [&](Number each) { return each != now && !count_.contains(each); });
          numbers.push_back(both);
        }
    }
    close(before);
    open(both);
    return both;
  }

  // Those the ticket still waits for; empty when it waits for nothing here.
  std::vector<Number> open_of(TicketId ticket) const {
    std::vector<Number> out;
    const auto found = numbers_.find(ticket);
    if (found == numbers_.end()) return out;
    for (const Number number : found->second)
      if (count_.contains(number)) out.push_back(number);
    return out;
  }
  void forget(TicketId ticket) { numbers_.erase(ticket); }

 private:
  std::map<TicketId, std::vector<Number>> numbers_{};
  std::map<Number, std::size_t> count_{};  // entries still open
  // Of the merge under way: the numbers of entries that it shares.
  std::map<std::pair<Number, Number>, Number> splits_{};
  Number last_ = 0;
};

}  // namespace weft::reconcile

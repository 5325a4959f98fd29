// SPDX-License-Identifier: Apache-2.0
//
// The plans that were merged and are not in the kernel yet, each by its ticket, and who waits for
// them: the control request `wait` is answered once every plan made until then is written, or, when
// its time is up, with the reason why not.
//
// One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/control_server.h"
#include "base/clock.h"
#include "reconcile/reconciler.h"

namespace weft::agent {

class Plans {
 public:
  static constexpr std::chrono::seconds kPatience{30};  // where a request names no time
  static constexpr std::chrono::seconds kMostPatience{3600};

  Plans(const reconcile::Reconciler& reconciler, const Clock& clock)
      : reconciler_(reconciler), clock_(clock) {}

  void add(std::shared_ptr<const reconcile::Ticket> written);

  // For what the sources hold now: they have to catch up and be planned for before the next
  // advance(). {"ok":true}, or an error that says what the kernel lacks.
  void wait(Reply reply, std::chrono::milliseconds patience);
  bool has_newcomers() const;  // who waits since the last advance()

  // Nothing will be planned any more: who waits gets `reason`.
  void give_up(const std::string& reason);

  // After each run() of the Reconciler. `obstacle`: why what is known could not be planned; "" = it
  // was.
  void advance(const std::string& obstacle);
  std::optional<Clock::TimePoint> deadline() const;  // when to advance() at the latest

 private:
  using Number = std::uint64_t;
  struct Wait {
    Reply reply{};
    Clock::TimePoint give_up{};
    std::optional<Number> last{};  // the newest plan it waits for, once there is one
  };

  bool answer(Wait& wait, const std::string& obstacle) const;  // false while it has to wait
  Error obstacle_to(Number last) const;

  const reconcile::Reconciler& reconciler_;
  const Clock& clock_;
  Number last_ = 0;
  std::map<Number, std::shared_ptr<const reconcile::Ticket>> open_{};
  std::vector<Wait> waits_{};
};

}  // namespace weft::agent

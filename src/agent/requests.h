// SPDX-License-Identifier: Apache-2.0
//
// The control requests that read or change the kernel: verify, repair, uninstall. They may have to
// wait: for a write in flight, uninstall until what was planned is removed, and both it and repair
// until the Reconciler has settled. They give up hope after a while, whatever they wait for. They
// are served one after another, after each pass of the agent.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/control_server.h"
#include "reconcile/reconciler.h"

namespace weft::agent {

class Requests {
 public:
  // How long repair and uninstall let the Reconciler try, and how long reading the kernel may take
  // each time. Together less than who asks waits (control/client.h).
  static constexpr std::chrono::seconds kPatience{10};
  static constexpr std::chrono::seconds kReadPatience{20};

  // `owners`: all that the desired tables know. `uninstalled` is called once nothing is left.
  Requests(reconcile::Reconciler& reconciler, const Clock& clock,
           std::vector<std::string_view> owners, std::function<void()> uninstalled)
      : reconciler_(reconciler),
        clock_(clock),
        owners_(std::move(owners)),
        uninstalled_(std::move(uninstalled)) {}

  // {"ok":bool,"drift":[…],"failing":[why it cannot be mended]}
  void verify(Reply reply);
  // {"ok":bool,"repaired":[…],"drift":[what remains],"failing":[why]}
  void repair(Reply reply);
  // {"ok":true}, or an error that says what is left. From now on nothing may be planned any more.
  void uninstall(Reply reply);

  bool uninstalling() const { return uninstalling_; }
  // What the last uninstall could not remove.
  const std::vector<reconcile::Drift>& left() const { return left_; }
  bool has_newcomers() const { return has_newcomers_; }  // since the last advance()

  // Goes on with what waits; after each run() of the Reconciler.
  void advance();
  // When to call advance() at the latest, if the Reconciler has nothing to do before; nothing when
  // nothing waits.
  std::optional<Clock::TimePoint> deadline() const;

 private:
  enum class Kind { kVerify, kRepair, kUninstall };
  enum class Phase { kWaiting, kLooking, kSettling, kVerifying };
  struct Request {
    Kind kind = Kind::kVerify;
    Reply reply{};
    Phase phase = Phase::kWaiting;
    Clock::TimePoint give_up{};  // of the phase it is in
    std::vector<reconcile::Drift> before{};
    reconcile::Ticket removed{};  // of an uninstall: what was planned
  };

  void add(Kind kind, Reply reply);
  bool go_on(Request& request);  // false while it has to wait
  bool is_done(const Request& request) const;
  void begin(Request& request);
  void settle(Request& request);
  void look(Request& request, Phase phase) const;
  bool go_on_looking(const Request& request);
  void read();
  void on_read(Result<std::vector<reconcile::Drift>> drift);
  Error unread() const;
  Request take_first();
  void finish(Request& request, const std::vector<reconcile::Drift>& left);

  reconcile::Reconciler& reconciler_;
  const Clock& clock_;
  std::vector<std::string_view> owners_;
  std::function<void()> uninstalled_;
  std::deque<Request> queue_{};
  bool has_newcomers_ = false;
  bool reading_ = false;    // the kernel is being read, one after another
  bool abandoned_ = false;  // for a request that has given up
  std::map<std::string_view, std::uint64_t> reads_before_{};  // of each unit
  bool uninstalling_ = false;
  std::vector<reconcile::Drift> left_{};
};

}  // namespace weft::agent

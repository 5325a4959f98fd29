// SPDX-License-Identifier: Apache-2.0
//
// The agent of one node: the composition root. It owns the model, the features, the Reconciler with
// its drivers and the control socket, and runs them on one loop:
//
//   source ─► ClusterState ─► Features ─► desired tables ─► Reconciler ─► kernel
//                                                               ▲
//                                     kernel notifications ─────┘ (mark)
//
// Every event only notes what it changed and asks for a pass; a pass runs in the loop's next turn,
// so that a burst is one pass. Nothing is written before the source is in sync and this node's Node
// object says which pod CIDRs it has. The agent remembers nothing over a restart, but for what the
// state directory keeps (the sysctls' previous values, the manifests' last good states): it may be
// killed at any moment, and what it wrote goes on working without it.
//
// Bound to the network namespace of the thread that calls start(). One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/config.h"
#include "agent/control_server.h"
#include "agent/features.h"
#include "agent/kernel_watch.h"
#include "agent/plans.h"
#include "agent/reconcile_log.h"
#include "agent/requests.h"
#include "agent/stale_flows.h"
#include "agent/status.h"
#include "base/clock.h"
#include "cluster/sources.h"
#include "loop/loop.h"
#include "loop/next_turn.h"
#include "loop/signal.h"
#include "loop/timer.h"
#include "model/cluster_state.h"
#include "reconcile/reconciler.h"
#include "tables/kernel_tables.h"

namespace weft::agent {

class Agent {
 public:
  // Opens everything and starts serving with the loop's next turn. The loop is stopped by SIGTERM,
  // SIGINT (the kernel stays as it is) or once an uninstall has left nothing.
  static Result<std::unique_ptr<Agent>> start(loop::Loop& loop, Config config);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  Status status() const;

 private:
  Agent(loop::Loop& loop, Config config);
  Result<> open();
  reconcile::ReconcilerEvents events();

  void wake();
  void pass();
  void plan();
  void begin();  // everything is planned for the first time
  void give_back_memory();
  void sleep_until_due();

  // The underlay as last found; looked for again when something may have changed it. Nothing, and
  // what is `missing`, when there is none.
  std::optional<podnet::Underlay> look_for_underlay(const model::Node& self, std::string& missing);
  void wait_for(const std::string& what);  // logged once; "" = no longer
  void note_plan(const Result<>& outcome);

  std::vector<ControlMethod> methods();    // what the control socket serves
  bool refuses(const Reply& reply) const;  // to look at the kernel now; the reply says why
  std::string obstacle() const;            // why nothing is planned; "" = it is
  void wait(const control::Request& request, Reply reply);
  void uninstall(Reply reply);
  void on_uninstalled();
  std::vector<std::string> problems() const;  // input that is not served as it stands

  loop::Loop& loop_;
  Config config_;
  SteadyClock clock_{};
  Clock::TimePoint started_at_;

  ReconcileLog reconcile_log_{clock_};
  std::optional<tables::KernelTables> kernel_{};   // outlives the drivers in reconciler_
  std::unique_ptr<loop::NextTurns> next_turns_{};  // outlives the drivers
  reconcile::Reconciler reconciler_;
  Features features_;
  model::ClusterState state_{};
  Plans plans_;
  Requests requests_;

  std::optional<StaleFlows> stale_flows_{};
  bool has_taken_over_ = false;
  bool underlay_stale_ = true;
  bool memory_given_back_ = false;  // once, after the first load
  std::optional<podnet::Underlay> underlay_{};
  Clock::TimePoint underlay_found_at_{};
  std::optional<Clock::TimePoint> look_again_{};  // for what planning waits for

  std::string waiting_for_{};
  std::string plan_error_{};
  bool uninstalled_ = false;

  loop::Timer next_pass_;
  loop::Timer end_;  // of the loop, after an uninstall
  std::optional<loop::Signal> terminate_{};
  std::optional<loop::Signal> interrupt_{};
  std::unique_ptr<KernelWatch> kernel_watch_{};
  cluster::Sources sources_;
  std::unique_ptr<ControlServer> control_{};
};

}  // namespace weft::agent

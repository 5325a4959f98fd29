// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "agent/drivers.h"
#include "agent/feature_list.h"
#include "agent/underlay.h"
#include "cluster/manifests/source.h"
#include "log/log.h"
#include "podnet/addresses.h"

namespace weft::agent {
namespace {

using std::chrono::seconds;

// How soon to look again for an underlay that is not there, if the kernel does not tell.
constexpr seconds kLookAgain{1};

// Who asks for an uninstall just as another one is done is told that it is, and not hung up on.
constexpr std::chrono::milliseconds kFarewell{50};

reconcile::ReconcilerOptions reconciler_options(const Config& config) {
  reconcile::ReconcilerOptions options;
  options.resync_period = config.resync_period;
  return options;
}

std::vector<std::string> texts(const std::vector<Prefix>& prefixes) {
  std::vector<std::string> out;
  for (const Prefix& prefix : prefixes) out.push_back(prefix.to_string());
  return out;
}

std::string last_good_file(const Config& config) {
  return config.state_directory + "/manifests.last-good";
}

void tell_not_taken(const std::string& problem) {
  log::warning("manifests", "not taken", {{"problem", problem}});
}

void remove_if_empty(const std::string& directory) {
  std::error_code ignored;  // not empty, or not there
  std::filesystem::remove(directory, ignored);
}

}  // namespace

Agent::Agent(loop::Loop& loop, Config config)
    : loop_(loop),
      config_(std::move(config)),
      started_at_(clock_.now()),
      reconciler_(clock_, reconciler_options(config_), events()),
      features_(make_features(config_, [this](const auto& flows) { stale_flows_->note(flows); })),
      plans_(reconciler_, clock_),
      requests_(reconciler_, clock_, features_.owners(), [this] { on_uninstalled(); }),
      next_pass_(loop, [this] { pass(); }),
      end_(loop, [this] { loop_.stop(); }),
      sources_(state_, tell_not_taken) {}

reconcile::ReconcilerEvents Agent::events() {
  reconcile::ReconcilerEvents events = reconcile_log_.events();
  events.ended = [this] { wake(); };
  return events;
}

Agent::~Agent() {
  control_.reset();
  if (!uninstalled_) return;
  std::error_code ignored;
  std::filesystem::remove(last_good_file(config_), ignored);
  // None of what it names is there any more.
  std::filesystem::remove(config_.state_directory + "/files", ignored);
  remove_if_empty(config_.state_directory + "/sysctl");
  remove_if_empty(config_.state_directory);
  remove_if_empty(std::filesystem::path(config_.control_socket).parent_path());
}

Result<std::unique_ptr<Agent>> Agent::start(loop::Loop& loop, Config config) {
  auto agent = std::unique_ptr<Agent>(new Agent(loop, std::move(config)));
  WEFT_TRY(agent->open());
  agent->wake();
  return agent;
}

Result<> Agent::open() {
  // First: it tells whether another agent runs here.
  WEFT_ASSIGN(control_, ControlServer::listen(loop_, config_.control_socket, is_root, methods()));
  WEFT_ASSIGN(kernel_, tables::KernelTables::open(agent_ownership(config_)));
  WEFT_ASSIGN(netlink::Socket netfilter, netlink::Socket::open(NETLINK_NETFILTER));
  stale_flows_.emplace(std::move(netfilter), clock_);
  WEFT_ASSIGN(next_turns_, loop::NextTurns::make(loop_));
  WEFT_ASSIGN(const std::vector<std::uint32_t> own,
              add_drivers(reconciler_, *kernel_, next_turns_->function()));
  if (config_.watch_kernel) {
    WEFT_ASSIGN(kernel_watch_,
                KernelWatch::open(loop_, *kernel_, own,
                                  [this](const tables::Notifications::Touched& touched) {
                                    for (const std::string_view kind : touched.kinds)
                                      reconciler_.mark(kind);
                                    underlay_stale_ = underlay_stale_ || touched.underlay;
                                    wake();
                                  }));
  }
  sources_.add(std::make_unique<cluster::ManifestSource>(
      loop_,
      cluster::ManifestSource::Options{config_.manifest_directory, last_good_file(config_),
                                       config_.resync_period},
      tell_not_taken, [this] { wake(); }));
  WEFT_TRY(sources_.start());
  WEFT_ASSIGN(terminate_, loop::Signal::watch(loop_, SIGTERM, [this] { loop_.stop(); }));
  WEFT_ASSIGN(interrupt_, loop::Signal::watch(loop_, SIGINT, [this] { loop_.stop(); }));
  return {};
}

void Agent::wake() { next_pass_.arm(clock_.now()); }

void Agent::pass() {
  // Whoever asks has seen the manifests as they are now.
  if (requests_.has_newcomers() || plans_.has_newcomers()) sources_.catch_up();
  if (requests_.uninstalling())
    look_again_.reset();
  else
    plan();
  reconciler_.run();
  if (kernel_watch_) kernel_watch_->follow(reconciler_);
  requests_.advance();
  plans_.advance(features_.has_planned() ? plan_error_ : obstacle());
  stale_flows_->remove_written(reconciler_);
  reconcile_log_.end_of_pass(reconciler_.settled(), reconciler_.failing());
  give_back_memory();
  sleep_until_due();
}

// Documents, deltas and batches of the first load are several times what any later change takes,
// and the allocator would keep their place.
void Agent::give_back_memory() {
  if (!reconciler_.started() || !reconciler_.settled()) return;
  if (!std::exchange(memory_given_back_, true)) ::malloc_trim(0);
}

void Agent::sleep_until_due() {
  std::optional<Clock::TimePoint> soonest = reconciler_.deadline();
  for (const auto& when :
       {look_again_, requests_.deadline(), plans_.deadline(), stale_flows_->deadline()})
    if (when && (!soonest || *when < *soonest)) soonest = when;
  // A deadline that has passed and stays must not keep everything else from its turn: libuv 1.44
  // runs a timer again at once that its own callback arms for now.
  if (soonest)
    next_pass_.arm(std::max(*soonest, clock_.now() + std::chrono::milliseconds(1)));
  else
    next_pass_.disarm();
}

// What is missing is waited for. Once everything was planned, what was known last stands in for it:
// forwarding goes on, and Services are followed, when a Node object or an address goes for a while.
void Agent::plan() {
  look_again_.reset();
  std::string missing;
  if (!state_.is_synced()) missing = fmt::format("{}", fmt::join(sources_.waited_for(), ", "));
  const auto found = state_.nodes().find({"", config_.node_name});
  if (missing.empty() && found == state_.nodes().end())
    missing = "a Node object named " + config_.node_name;
  const model::Node* self = missing.empty() ? &*found->second : nullptr;
  std::optional<podnet::Underlay> underlay;
  if (self != nullptr) underlay = look_for_underlay(*self, missing);
  wait_for(missing);

  if (!features_.has_planned() && !underlay) return;
  if (!std::exchange(has_taken_over_, true)) features_.take_over(*kernel_);
  const model::Node node = self != nullptr ? *self : features_.self();
  note_plan(features_.update(state_, state_.take_changes(), node,
                             underlay ? *underlay : features_.underlay(), reconciler_,
                             [this](const auto& written) {
                               plans_.add(written);
                               stale_flows_->wait_for(written);
                             }));
  if (features_.has_planned() && !reconciler_.started()) begin();
}

void Agent::begin() {
  reconciler_.start();
  log::info("agent", "the sources are in sync; writing",
            {{"podCIDRs", fmt::format("{}", fmt::join(texts(features_.self().pod_cidrs), ","))},
             {"nodes", state_.nodes().size()},
             {"services", state_.services().size()}});
}

std::optional<podnet::Underlay> Agent::look_for_underlay(const model::Node& self,
                                                         std::string& missing) {
  const auto address = podnet::underlay_address(self);
  if (!address) {
    missing = fmt::format("an InternalIP in status.addresses of Node {}", config_.node_name);
    return std::nullopt;
  }
  const bool old = config_.resync_period.count() > 0 &&
                   clock_.now() >= underlay_found_at_ + config_.resync_period;
  if (!underlay_ || underlay_->address != *address || underlay_stale_ || old) {
    underlay_stale_ = false;
    underlay_found_at_ = clock_.now();
    auto found = find_underlay(kernel_->socket(), *address);
    underlay_ = found ? *found : std::nullopt;
    if (!found) log::error("agent", "cannot read the underlay", {{"error", found.error()}});
    if (kernel_watch_) {
      tables::Notifications::Underlay watched{.addresses = {*address}};
      if (underlay_) watched.links.insert(underlay_->link);
      kernel_watch_->rest_on(std::move(watched));
    }
  }
  if (!underlay_) {
    look_again_ = clock_.now() + kLookAgain;
    missing = fmt::format("a link with the address {} of Node {}", address->to_string(),
                          config_.node_name);
  }
  return underlay_;
}

void Agent::wait_for(const std::string& what) {
  if (what == waiting_for_) return;
  waiting_for_ = what;
  if (!what.empty()) log::info("agent", "waiting", {{"for", what}});
}

void Agent::note_plan(const Result<>& outcome) {
  for (const auto& [owner, problem] : features_.take_new_problems())
    log::warning(owner, "not followed as it stands", {{"problem", problem}});
  const std::string error = outcome ? "" : outcome.error().message;
  if (error == plan_error_) return;
  plan_error_ = error;
  if (error.empty())
    log::info("agent", "the plan is good again");
  else
    log::error("agent", "cannot plan; what was planned before stands", {{"error", error}});
}

std::vector<ControlMethod> Agent::methods() {
  using control::Request;
  return {{"status", {}, [this](const Request&, const Reply& reply) { reply(to_json(status())); }},
          {"verify",
           {},
           [this](const Request&, Reply reply) {
             if (refuses(reply)) return;
             requests_.verify(std::move(reply));
             wake();
           }},
          {"repair",
           {},
           [this](const Request&, Reply reply) {
             if (refuses(reply)) return;
             requests_.repair(std::move(reply));
             wake();
           }},
          {"wait",
           {{"timeoutSeconds", control::Parameter::Type::kNumber}},
           [this](const Request& request, Reply reply) { wait(request, std::move(reply)); }},
          {"uninstall", {}, [this](const Request&, Reply reply) { uninstall(std::move(reply)); }}};
}

bool Agent::refuses(const Reply& reply) const {
  const std::string reason = obstacle();
  if (!reason.empty()) reply(fail(reason));
  return !reason.empty();
}

std::string Agent::obstacle() const {
  if (requests_.uninstalling()) return "the agent is being uninstalled";
  if (features_.has_planned()) return "";
  return "nothing is planned yet: " +
         (waiting_for_.empty() ? plan_error_ : "the agent is waiting for " + waiting_for_);
}

void Agent::wait(const control::Request& request, Reply reply) {
  const auto given = control::number_in(request, "timeoutSeconds");
  if (requests_.uninstalling()) return reply(fail(obstacle()));
  const seconds patience(given.value_or(Plans::kPatience.count()));
  if (patience < seconds(0) || patience > Plans::kMostPatience)
    return reply(fail(fmt::format("wait: timeoutSeconds {}: from 0 to {}", *given,
                                  Plans::kMostPatience.count())));
  plans_.wait(std::move(reply), patience);
  wake();
}

void Agent::uninstall(Reply reply) {
  log::info("agent", "uninstalling");
  reconcile_log_.expect_removals();
  requests_.uninstall(std::move(reply));
  plans_.give_up(obstacle());
  wake();
}

void Agent::on_uninstalled() {
  if (std::exchange(uninstalled_, true)) return;
  log::info("agent", "uninstalled");
  end_.arm(clock_.now() + kFarewell);
}

Status Agent::status() const {
  Status status;
  status.node = config_.node_name;
  status.settled = reconciler_.settled();
  status.uninstalling = requests_.uninstalling();
  if (status.uninstalling) {
    if (!status.settled) status.left = left_texts(requests_.left());
  } else {
    status.waiting_for = waiting_for_;
    status.sections = features_.status(state_);
    status.problems = problems();
  }
  status.planned = features_.counts();
  status.units = reconciler_.units();
  for (const Error& error : reconciler_.failing()) status.failing.push_back(error.message);
  status.failures = reconcile_log_.failures();
  status.drift_found = reconcile_log_.drifted();
  status.uptime = std::chrono::duration_cast<seconds>(clock_.now() - started_at_);
  status.pid = ::getpid();
  status.memory_bytes = resident_memory();
  return status;
}

std::vector<std::string> Agent::problems() const {
  std::vector<std::string> out;
  if (!plan_error_.empty()) out.push_back(plan_error_);
  for (std::string& problem : features_.problems()) out.push_back(std::move(problem));
  for (std::string& problem : sources_.problems()) out.push_back(std::move(problem));
  return out;
}

}  // namespace weft::agent

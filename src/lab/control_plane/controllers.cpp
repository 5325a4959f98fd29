// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/controllers.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "lab/control_plane/deployment.h"
#include "lab/control_plane/endpoints.h"
#include "lab/control_plane/scheduler.h"
#include "lab/interrupt.h"
#include "lab/kubelet/readiness.h"
#include "lab/parallel.h"
#include "lab/world/nodes.h"

namespace weft::lab {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPollInterval = 20ms;
constexpr std::size_t kTailLines = 5;

Json condition(bool ready) { return {{{"type", "Ready"}, {"status", ready ? "True" : "False"}}}; }

// Completed, for pods that are meant to end.
bool has_succeeded(const Json& pod, const PodState& state) {
  const std::string policy = text_at(pod, "/spec/restartPolicy");
  return (policy == "Never" || policy == "OnFailure") && state.exit_code == 0;
}

std::string phase_of(const Json& pod, const PodState& state) {
  if (state.initializing) return "Pending";
  if (state.running) return "Running";
  return has_succeeded(pod, state) ? "Succeeded" : "Failed";
}

std::string why_ended(const PodState& state) {
  if (!state.problem.empty()) return state.problem;
  if (!state.exit_code) return "its process is gone";
  return fmt::format("ended with exit code {}", *state.exit_code);
}

std::vector<OwnedPod> pods_of(const ObjectName& deployment, const ObjectStore::Objects& pods,
                              const std::set<ObjectName>& ended) {
  std::vector<OwnedPod> owned;
  for (const auto& [name, pod] : pods) {
    if (name.name_space != deployment.name_space) continue;
    if (text_at(pod, "/metadata/ownerReferences/0/name") != deployment.name) continue;
    owned.push_back(
        {name, labels_of(pod)["pod-template-hash"], is_ready(pod), ended.contains(name)});
  }
  return owned;
}

}  // namespace

Result<> Controllers::converge(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  show();
  WEFT_TRY(begin());
  for (;;) {
    WEFT_ASSIGN(const bool acted, round());
    show();
    if (!acted && at_rest()) break;
    WEFT_TRY(not_interrupted());
    if (Clock::now() > deadline) return fail("not ready in time: " + waiting_for());
    if (!acted) std::this_thread::sleep_for(kPollInterval);
  }
  if (const std::size_t count = pods().size(); count > 0) {
    progress_.done("pods", fmt::format("{}/{} ready", count - failed_.size(), count));
  }
  return failures();
}

std::vector<ObjectName> Controllers::pods() const {
  std::vector<ObjectName> names;
  for (const auto& [name, pod] : store_.all("Pod")) {
    if (is_ours(name)) names.push_back(name);
  }
  return names;
}

// Records without a Pod are of a command that was killed, or of Pods just deleted; Pods without a
// record were never started or are to be started anew.
Result<> Controllers::begin() {
  WEFT_ASSIGN(records_, load_records(lab_));
  std::erase_if(records_, [&](const auto& entry) { return !is_ours(entry.first); });
  WEFT_TRY(observe());
  for (const auto& [name, state] : states_) {
    if (!state.running && store_.find("Pod", name) != nullptr) ended_before_.insert(name);
  }
  failed_.clear();
  WEFT_TRY(write_endpoints());
  Names gone;
  for (const auto& [name, record] : records_) {
    const Json* pod = store_.find("Pod", name);
    if (pod == nullptr || node_of(*pod) != record.node || !pod->contains("status"))
      gone.insert(name);
  }
  for (const ObjectName& name : ended_before_) {
    const Json* pod = store_.find("Pod", name);
    if (text_at(*pod, "/metadata/ownerReferences/0/kind").empty() &&
        !has_succeeded(*pod, states_.at(name))) {
      gone.insert(name);
    }
  }
  return remove_pods(gone);
}

Result<bool> Controllers::round() {
  WEFT_TRY(observe());
  const std::size_t started_before = records_.size();
  WEFT_ASSIGN(const Names unwanted, step_deployments());
  WEFT_TRY(write_endpoints());
  WEFT_TRY(remove_pods(unwanted));
  const std::size_t kept = records_.size();
  WEFT_TRY(start_missing());
  return !unwanted.empty() || records_.size() != kept || started_before != kept;
}

Result<> Controllers::observe() {
  for (const auto& [name, record] : records_) WEFT_TRY(observe_pod(name, record));
  return {};
}

Result<> Controllers::observe_pod(const ObjectName& name, const PodRecord& record) {
  const PodState& state = states_[name] = state_of(record);
  const Json* stored = store_.find("Pod", name);
  if (stored == nullptr || !stored->contains("status")) return {};
  Json pod = *stored;
  if (!state.running && !has_succeeded(pod, state)) failed_[name] = why_ended(state);
  if (!is_ready(pod) || !state.running) {
    WEFT_ASSIGN(const PodSpec spec, decode_pod_spec(document_of(pod), "/spec"));
    pod["status"]["conditions"] = condition(is_ready_now(lab_, record, state, spec, pod_ips(pod)));
  }
  pod["status"]["phase"] = phase_of(pod, state);
  if (pod == *stored) return {};
  endpoints_are_stale_ = true;
  return store_.put(std::move(pod));
}

// Stores the pods that are to be, names those that are to go.
Result<Controllers::Names> Controllers::step_deployments() {
  Names unwanted;
  std::vector<Json> wanted;
  for (const auto& [name, deployment] : store_.all("Deployment")) {
    if (!is_ours(name)) continue;
    DeploymentStep next = step(deployment, pods_of(name, store_.all("Pod"), ended_before_));
    unwanted.insert(next.remove.begin(), next.remove.end());
    std::move(next.create.begin(), next.create.end(), std::back_inserter(wanted));
  }
  for (Json& pod : wanted) WEFT_TRY(store_.put(std::move(pod)));
  for (const ObjectName& name : unwanted) {
    WEFT_TRY(store_.remove("Pod", name));
    endpoints_are_stale_ = true;
  }
  return unwanted;
}

Result<> Controllers::remove_pods(const Names& names) {
  std::vector<PodRecord> going;
  for (const ObjectName& name : names) {
    if (const auto record = records_.find(name); record != records_.end())
      going.push_back(record->second);
  }
  WEFT_TRY(in_parallel(going.size(), [&](std::size_t i) { return remove_pod(lab_, going[i]); }));
  for (const ObjectName& name : names) {
    records_.erase(name);
    states_.erase(name);
    ended_before_.erase(name);
    failed_.erase(name);
  }
  return {};
}

Result<> Controllers::schedule_pods(const std::vector<ObjectName>& names) {
  for (const ObjectName& name : names) {
    Json pod = *store_.find("Pod", name);
    WEFT_ASSIGN(const PodSpec spec, decode_pod_spec(document_of(pod), "/spec"));
    WEFT_ASSIGN(pod["spec"]["nodeName"],
                schedule(spec, pod, store_.all("Node"), store_.all("Pod")));
    WEFT_TRY(store_.put(std::move(pod)));
  }
  return {};
}

Result<> Controllers::start_missing() {
  std::vector<ObjectName> names;
  for (const ObjectName& name : pods()) {
    if (!records_.contains(name) && !failed_.contains(name)) names.push_back(name);
  }
  WEFT_TRY(schedule_pods(names));
  std::vector<Variables> variables;
  for (const ObjectName& name : names) {
    variables.push_back(service_variables(store_.all("Service"), name.name_space));
  }
  std::vector<Result<StartedPod>> started(names.size());
  auto outcome = in_parallel(names.size(), [&](std::size_t i) -> Result<> {
    WEFT_TRY(not_interrupted());
    started[i] = start_pod(lab_, *store_.find("Pod", names[i]), variables[i]);
    return {};
  });
  for (std::size_t i = 0; i < names.size(); ++i)
    WEFT_TRY(note_start(names[i], std::move(started[i])));
  return outcome;
}

// A pod that cannot be started has failed; the others go on.
Result<> Controllers::note_start(const ObjectName& name, Result<StartedPod> started) {
  Json pod = *store_.find("Pod", name);
  if (!started) {
    failed_[name] = started.error().message;
    pod["status"] = {{"phase", "Failed"}, {"message", started.error().message}};
    return store_.put(std::move(pod));
  }
  if (started->record.id.empty()) return {};  // interrupted before it was begun
  pod["status"] = {
      {"phase", "Running"}, {"conditions", condition(false)}, {"podIPs", Json::array()}};
  for (const IpAddress& ip : started->ips) {
    pod["status"]["podIPs"].push_back({{"ip", ip.to_string()}});
  }
  if (!started->ips.empty()) pod["status"]["podIP"] = started->ips.front().to_string();
  records_.insert_or_assign(name, std::move(started->record));
  endpoints_are_stale_ = true;
  return store_.put(std::move(pod));
}

Result<> Controllers::write_endpoints() {
  if (!endpoints_are_stale_) return {};
  endpoints_are_stale_ = false;
  std::set<ObjectName> wanted;
  for (const auto& [name, service] : store_.all("Service")) {
    for (Json& slice : endpoint_slices(service, store_.all("Pod"))) {
      wanted.insert(name_of(slice));
      WEFT_TRY(store_.put(std::move(slice)));
    }
  }
  const ObjectStore::Objects slices = store_.all("EndpointSlice");
  for (const auto& [name, slice] : slices) {
    if (!wanted.contains(name)) WEFT_TRY(store_.remove("EndpointSlice", name));
  }
  return {};
}

bool Controllers::at_rest() const {
  const std::vector<ObjectName> names = pods();
  return std::all_of(names.begin(), names.end(), [&](const ObjectName& name) {
    const Json& pod = *store_.find("Pod", name);
    const auto state = states_.find(name);
    return is_ready(pod) || failed_.contains(name) ||
           (state != states_.end() && has_succeeded(pod, state->second));
  });
}

void Controllers::show() const {
  const std::vector<ObjectName> names = pods();
  const auto ready = std::count_if(names.begin(), names.end(), [&](const ObjectName& name) {
    return is_ready(*store_.find("Pod", name));
  });
  progress_.show("pods", fmt::format("{}/{} ready", ready, names.size()));
}

Result<> Controllers::failures() const {
  if (failed_.empty()) return {};
  std::string message;
  for (const auto& [name, why] : failed_) {
    message += fmt::format("{}pod {}: {}", message.empty() ? "" : "\n", name.to_string(), why);
    const auto record = records_.find(name);
    if (record == records_.end()) continue;
    const std::string& log = record->second.log_file;
    if (const std::string tail = tail_of(log, kTailLines); !tail.empty()) {
      message += fmt::format("; its log, {}, says:\n{}", log, tail);
    }
  }
  return fail(std::move(message));
}

std::string Controllers::waiting_for() const {
  std::vector<std::string> waiting;
  for (const ObjectName& name : pods()) {
    const Json& pod = *store_.find("Pod", name);
    if (!is_ready(pod))
      waiting.push_back(fmt::format("pod {} on {}", name.to_string(), node_of(pod)));
  }
  for (const auto& [name, why] : failed_)
    waiting.push_back(fmt::format("pod {}: {}", name.to_string(), why));
  return fmt::format("{}", fmt::join(waiting, ", "));
}

}  // namespace weft::lab

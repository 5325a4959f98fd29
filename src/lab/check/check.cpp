// SPDX-License-Identifier: Apache-2.0
#include "lab/check/check.h"

#include <fmt/format.h>

#include <filesystem>

#include "lab/control_plane/admission.h"
#include "lab/control_plane/controllers.h"
#include "lab/interrupt.h"
#include "lab/kubelet/pods.h"
#include "lab/world/nodes.h"
#include "linux/cgroup.h"
#include "linux/netns.h"
#include "linux/process.h"

namespace weft::lab {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kReadyTimeout = 60s;
constexpr auto kProbeTimeout = 3s;
constexpr auto kAgentsTimeout = 5s;   // for an agent to serve the probe Services
constexpr auto kFabricTimeout = 5s;   // for the fabric's server to listen
constexpr auto kFabricRound = 250ms;  // one attempt at it
constexpr auto kKillPatience = 10s;

// The world outside: a probe server in the fabric's namespace, gone with this object.
class FabricServer {
 public:
  static Result<FabricServer> start(const Lab& lab) {
    FabricServer server(lab.names.cgroup(lab.cgroup_mount) + "/check");
    WEFT_TRY(create_cgroup(server.cgroup_));
    ProcessSpec spec;
    spec.argv = {own_binary(),
                 "lab",
                 "probe-server",
                 "--name",
                 kFabricServer,
                 "--port",
                 std::to_string(kProbePort)};
    spec.netns = named_netns_path(lab.names.fabric_netns());
    spec.cgroup = server.cgroup_;
    WEFT_ASSIGN(server.process_, start_process(spec));
    return server;
  }
  FabricServer(FabricServer&& other) noexcept
      : cgroup_(std::exchange(other.cgroup_, {})), process_(std::move(other.process_)) {}
  FabricServer& operator=(FabricServer&&) = delete;
  ~FabricServer() {
    if (cgroup_.empty()) return;
    [[maybe_unused]] const auto killed = kill_cgroup(cgroup_, kKillPatience);
    if (process_.pid > 0) [[maybe_unused]]
      const auto reaped = wait_for(process_);
    [[maybe_unused]] const auto removed = remove_cgroup(cgroup_);
  }

 private:
  explicit FabricServer(std::string cgroup) : cgroup_(std::move(cgroup)) {}
  std::string cgroup_;
  Process process_{};
};

Result<std::map<std::string, std::string>> pod_namespaces(const Lab& lab) {
  WEFT_ASSIGN(const auto records, load_records(lab));
  std::map<std::string, std::string> namespaces;
  for (const auto& [name, record] : records) {
    if (name.name_space == kCheckNamespace) namespaces[name.name] = named_netns_path(record.netns);
  }
  return namespaces;
}

// The cases whose success says that the fabric's server listens.
std::vector<traffic::Probe> first_signs(const std::vector<CheckCase>& cases) {
  std::vector<traffic::Probe> probes;
  for (const CheckCase& asked : cases) {
    if (asked.path == "pod to fabric" && asked.probe.protocol == model::Protocol::kTcp)
      probes.push_back(asked.probe);
  }
  return probes;
}

// For the agents' word that they know the probe Services. Whose agent has none (it is stopped, or
// cannot write) is for the cases themselves to tell.
void wait_for_agents(const Lab& lab) {
  for (const NodePlan& node : plan_nodes(lab.settings))
    (void)wait_until_written(lab, {node.name}, kAgentsTimeout);
}

// What still does not answer at the deadline is for the cases themselves to tell.
Result<> wait_for_fabric(const std::vector<CheckCase>& cases) {
  const std::vector<traffic::Probe> probes = first_signs(cases);
  const auto deadline = Clock::now() + kFabricTimeout;
  while (Clock::now() < deadline) {
    WEFT_ASSIGN(const auto outcomes, traffic::run(probes, kFabricRound, not_interrupted));
    const bool all =
        std::all_of(outcomes.begin(), outcomes.end(), [](const traffic::Outcome& outcome) {
          return outcome.kind == traffic::Outcome::Kind::kAnswered;
        });
    if (all) return {};
  }
  return {};
}

Result<CheckReport> run_cases(const std::vector<CheckCase>& cases, Progress& progress) {
  std::vector<traffic::Probe> probes;
  for (const CheckCase& asked : cases) probes.push_back(asked.probe);
  progress.show("paths", fmt::format("{} cases", cases.size()));
  WEFT_ASSIGN(std::vector<traffic::Outcome> outcomes,
              traffic::run(probes, kProbeTimeout, not_interrupted));
  progress.done("paths", fmt::format("{} cases", cases.size()));
  CheckReport report;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const bool good = is_good(cases[i], outcomes[i]);
    report.results.push_back({cases[i], std::move(outcomes[i]), good});
  }
  return report;
}

Result<CheckReport> run_check(const Lab& lab, ObjectStore& store, Progress& progress) {
  WEFT_TRY(admit(lab, check_objects(lab.settings), store));
  WEFT_ASSIGN(const FabricServer fabric, FabricServer::start(lab));
  WEFT_TRY(Controllers(lab, store, progress, kCheckNamespace).converge(kReadyTimeout));
  WEFT_ASSIGN(const auto namespaces, pod_namespaces(lab));
  const std::vector<CheckCase> cases = check_cases(lab, store, namespaces);
  wait_for_agents(lab);
  WEFT_TRY(not_interrupted());
  WEFT_TRY(wait_for_fabric(cases));
  return run_cases(cases, progress);
}

Result<> remove_probes(const Lab& lab, ObjectStore& store) {
  WEFT_TRY(forget({check_objects(lab.settings).front()}, store));
  Progress quiet(nullptr);
  WEFT_TRY(Controllers(lab, store, quiet, kCheckNamespace).converge(kReadyTimeout));
  std::error_code error;
  for (fs::directory_iterator entry(lab.names.pods_directory(), error), end; entry != end;
       entry.increment(error)) {
    if (LabNames::is_pod_log(entry->path().filename().string(), kCheckNamespace))
      fs::remove(entry->path(), error);
  }
  return {};
}

}  // namespace

Result<CheckReport> check_lab(const std::string& name, Progress& progress) {
  WEFT_ASSIGN(const Lab lab, open_lab(name));
  const CatchInterrupts catching;
  WEFT_ASSIGN(const FileLock lock, lock_lab(lab.names));
  WEFT_ASSIGN(ObjectStore store, ObjectStore::load(lab.names));
  Result<CheckReport> report = run_check(lab, store, progress);
  forget_interrupts();
  WEFT_TRY(remove_probes(lab, store), "remove the probes");
  return report;
}

}  // namespace weft::lab

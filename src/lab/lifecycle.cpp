// SPDX-License-Identifier: Apache-2.0
#include "lab/lifecycle.h"

#include <fmt/format.h>

#include <filesystem>

#include "document/yaml.h"
#include "lab/control_plane/admission.h"
#include "lab/control_plane/controllers.h"
#include "lab/interrupt.h"
#include "lab/parallel.h"
#include "lab/world/nodes.h"
#include "lab/world/topology.h"
#include "linux/cgroup.h"
#include "linux/file.h"
#include "linux/netns.h"

namespace weft::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kKillPatience = 15s;
constexpr auto kSettleTimeout = 60s;

Result<> make_directory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail_errno("create " + path, error.value());
  return {};
}

Result<> refuse_existing(const LabNames& names) {
  if (remains_of(names).empty()) return {};
  const char* what =
      fs::exists(names.settings_file()) ? "exists already" : "is left over from an interrupted up";
  return fail(
      fmt::format("lab \"{0}\" {1}: remove it with weft lab down --name {0}", names.lab(), what));
}

Result<> write_first_objects(const Lab& lab, ObjectStore& store) {
  WEFT_TRY(store.put(
      {{"apiVersion", "v1"},
       {"kind", "Namespace"},
       {"metadata",
        {{"name", "default"}, {"labels", {{"kubernetes.io/metadata.name", "default"}}}}}}));
  for (const NodePlan& node : plan_nodes(lab.settings)) WEFT_TRY(store.put(node_object(node)));
  return {};
}

Result<> make_state(const Lab& lab, ObjectStore& store) {
  for (const std::string& directory : {lab.names.manifests_directory(),
                                       lab.names.objects_directory(), lab.names.pods_directory()}) {
    WEFT_TRY(make_directory(directory));
  }
  WEFT_TRY(write_file(lab.names.settings_file(), to_json(lab.settings)));
  return write_first_objects(lab, store);
}

std::string describe(const Settings& settings) {
  return fmt::format("{}, {} over {}", settings.ip_family, settings.transport,
                     to_string(settings.fabric));
}

// Each node is wired and its agent started before the next: agents come up while we go on.
Result<> make_nodes(const Lab& lab, const Json& agent_spec, Progress& progress) {
  for (const NodePlan& node : plan_nodes(lab.settings)) {
    WEFT_TRY(not_interrupted());
    WEFT_TRY(make_node(lab.names, lab.settings, node));
    WEFT_TRY(prepare_node(lab, node, agent_spec));
    WEFT_TRY(start_agent(lab, node.name));
    progress.show("nodes", fmt::format("{}/{} started", node.number, lab.settings.nodes));
  }
  progress.done("nodes", fmt::format("{0}/{0} started", lab.settings.nodes));
  return {};
}

Result<> settle(const Lab& lab, Progress& progress) {
  std::vector<std::string> nodes;
  for (const NodePlan& node : plan_nodes(lab.settings)) nodes.push_back(node.name);
  const std::size_t count = nodes.size();
  WEFT_TRY(wait_until_written(lab, nodes, kSettleTimeout, [&](std::size_t written) {
    progress.show("agents", fmt::format("{}/{} settled", written, count));
  }));
  progress.done("agents", fmt::format("{0}/{0} settled", count));
  return {};
}

void print_admitted(const std::vector<Admitted>& admitted) {
  Table table({"OBJECT", ""});
  for (const Admitted& one : admitted) table.add({one.what, one.how});
  table.print(stdout);
  std::fflush(stdout);
}

Result<> apply_to(const Lab& lab, const std::vector<document::Document>& documents,
                  ObjectStore& store, std::chrono::milliseconds timeout, Progress& progress) {
  WEFT_ASSIGN(const std::vector<Admitted> admitted, admit(lab, documents, store));
  print_admitted(admitted);
  return Controllers(lab, store, progress).converge(timeout);
}

Result<> build(const Lab& lab, const UpOptions& options,
               const std::vector<document::Document>& documents, Progress& progress) {
  ObjectStore store(lab.names);
  WEFT_TRY(make_state(lab, store));
  WEFT_TRY(make_fabric(lab.names, lab.settings));
  progress.done("fabric", describe(lab.settings));
  WEFT_TRY(make_nodes(lab, options.agent_spec, progress));
  WEFT_TRY(settle(lab, progress));
  if (documents.empty()) return {};
  return apply_to(lab, documents, store, options.timeout, progress);
}

// Everything goes at once: pods are not unwired one by one, their namespaces are dropped.
Result<> remove_everything(const LabNames& names) {
  if (const auto mount = cgroup2_mount()) {
    WEFT_TRY(kill_cgroup(names.cgroup(*mount), kKillPatience));
    WEFT_TRY(remove_cgroup(names.cgroup(*mount)));
  }
  for (const std::string& netns : netns_of_lab(names)) WEFT_TRY(remove_named_netns(netns));
  std::error_code error;
  fs::remove_all(names.directory(), error);
  if (error) return fail_errno("remove " + names.directory(), error.value());
  return {};
}

Result<> remove_and_check(const LabNames& names) {
  WEFT_TRY(remove_everything(names));
  const std::vector<std::string> left = remains_of(names);
  forget_lock(names);
  if (left.empty()) return {};
  return fail(
      fmt::format("lab \"{}\": this is left of it: {}", names.lab(), fmt::join(left, ", ")));
}

}  // namespace

Result<> up(const UpOptions& options, Progress& progress) {
  WEFT_ASSIGN(const LabNames names, LabNames::for_lab(options.settings.name));
  // Before anything is made: a manifest that does not parse should cost nothing.
  WEFT_ASSIGN(const auto documents, read_manifests(options.manifests));
  const CatchInterrupts catching;
  WEFT_ASSIGN(const FileLock lock, lock_lab(names));
  WEFT_TRY(refuse_existing(names));
  WEFT_ASSIGN(std::string mount, cgroup2_mount());
  const Lab lab{names, options.settings, std::move(mount)};
  Result<> built = build(lab, options, documents, progress);
  if (built) return {};
  forget_interrupts();
  const Result<> removed = remove_and_check(names);
  progress.done("down", removed ? "what was made is removed" : removed.error().message);
  return built;
}

Result<> down(const std::string& name, Progress& progress) {
  WEFT_ASSIGN(const LabNames names, LabNames::for_lab(name));
  WEFT_ASSIGN(const FileLock lock, lock_lab(names));
  if (remains_of(names).empty()) {
    forget_lock(names);
    return fail(fmt::format("there is no lab \"{}\" (weft lab list)", name));
  }
  progress.show("down", names.lab());
  WEFT_TRY(remove_and_check(names));
  progress.done("down", fmt::format("{}: nothing is left", names.lab()));
  return {};
}

std::vector<std::string> remains_of(const LabNames& names) {
  std::vector<std::string> left;
  for (const std::string& netns : netns_of_lab(names)) left.push_back("network namespace " + netns);
  if (const auto mount = cgroup2_mount(); mount && fs::exists(names.cgroup(*mount))) {
    left.push_back("cgroup " + names.cgroup(*mount));
  }
  if (fs::exists(names.directory())) left.push_back(names.directory());
  return left;
}

Result<Json> read_agent_spec(const std::string& file) {
  WEFT_ASSIGN(const std::string text, read_file(file));
  WEFT_ASSIGN(const auto documents, document::parse_yaml(text, file));
  if (documents.size() != 1 || !documents.front().value.is_object()) {
    return fail(file + ": must be one document with the fields of an AgentConfiguration's spec");
  }
  const Json& value = documents.front().value;
  const Json& spec = value.contains("spec") ? value["spec"] : value;
  if (!spec.is_object()) return fail(file + ": spec must be an object");
  return spec;
}

Result<> apply(const std::string& name, const std::vector<std::string>& manifests,
               std::chrono::milliseconds timeout, Progress& progress) {
  WEFT_ASSIGN(const auto documents, read_manifests(manifests));
  WEFT_ASSIGN(const Lab lab, open_lab(name));
  const CatchInterrupts catching;
  WEFT_ASSIGN(const FileLock lock, lock_lab(lab.names));
  WEFT_ASSIGN(ObjectStore store, ObjectStore::load(lab.names));
  return apply_to(lab, documents, store, timeout, progress);
}

Result<> remove(const std::string& name, const std::vector<std::string>& manifests,
                std::chrono::milliseconds timeout, Progress& progress) {
  WEFT_ASSIGN(const auto documents, read_manifests(manifests));
  WEFT_ASSIGN(const Lab lab, open_lab(name));
  const CatchInterrupts catching;
  WEFT_ASSIGN(const FileLock lock, lock_lab(lab.names));
  WEFT_ASSIGN(ObjectStore store, ObjectStore::load(lab.names));
  WEFT_ASSIGN(const auto forgotten, forget(documents, store));
  print_admitted(forgotten);
  return Controllers(lab, store, progress).converge(timeout);
}

}  // namespace weft::lab

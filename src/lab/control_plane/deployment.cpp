// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/deployment.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "document/reading.h"
#include "lab/generated_names.h"
#include "lab/kubelet/workload.h"

namespace weft::lab {
namespace {

constexpr std::size_t kHashLength = 9;
constexpr std::size_t kSuffixLength = 5;
constexpr int kMostReplicas = 1000;
constexpr int kDefaultPercent = 25;

// maxSurge, maxUnavailable: a number, or a percentage of the replicas.
int share_of(int replicas, const Json& deployment, const std::string& field, bool round_up) {
  const Json::json_pointer path("/spec/strategy/rollingUpdate/" + field);
  int percent = kDefaultPercent;
  if (deployment.contains(path)) {
    const Json& value = deployment.at(path);
    if (value.is_number_integer()) return value.get<int>();
    if (value.is_string()) percent = std::atoi(value.get<std::string>().c_str());
  }
  const int scaled = replicas * percent;
  return round_up ? (scaled + 99) / 100 : scaled / 100;
}

struct Limits {
  int most = 0;  // pods at once
  int least_ready = 0;
};

Limits limits_of(const Json& deployment, int replicas) {
  if (text_at(deployment, "/spec/strategy/type") == "Recreate") return {replicas, 0};
  const int surge = share_of(replicas, deployment, "maxSurge", true);
  const int unavailable = share_of(replicas, deployment, "maxUnavailable", false);
  // Both zero would never move; the API refuses it.
  return {replicas + (surge == 0 && unavailable == 0 ? 1 : surge), replicas - unavailable};
}

Json make_pod(const Json& deployment, const std::string& hash, const std::string& name) {
  const ObjectName owner = name_of(deployment);
  const Json& pod_template = deployment.at("spec").at("template");
  Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}};
  pod["metadata"] = pod_template.value("metadata", Json::object());
  pod["metadata"]["name"] = name;
  pod["metadata"]["namespace"] = owner.name_space;
  pod["metadata"]["labels"]["pod-template-hash"] = hash;
  pod["metadata"]["ownerReferences"] = {{{"apiVersion", "apps/v1"},
                                         {"kind", "Deployment"},
                                         {"name", owner.name},
                                         {"controller", true}}};
  pod["spec"] = pod_template.at("spec");
  return pod;
}

std::vector<Json> make_pods(const Json& deployment, const std::string& hash, int count,
                            const std::vector<OwnedPod>& pods) {
  std::set<std::string> taken;
  for (const OwnedPod& pod : pods) taken.insert(pod.name.name);
  std::vector<Json> made;
  for (int ordinal = 0; static_cast<int>(made.size()) < count; ++ordinal) {
    const std::string stem = fmt::format("{}-{}", name_of(deployment).name, hash);
    const std::string name =
        fmt::format("{}-{}", stem, word_of(fmt::format("{} {}", stem, ordinal), kSuffixLength));
    if (taken.insert(name).second) made.push_back(make_pod(deployment, hash, name));
  }
  return made;
}

// Which to give up first: those that are not ready.
std::vector<OwnedPod> not_ready_first(std::vector<OwnedPod> pods) {
  std::stable_sort(pods.begin(), pods.end(),
                   [](const OwnedPod& a, const OwnedPod& b) { return !a.ready && b.ready; });
  return pods;
}

}  // namespace

Result<> check_deployment(const document::Document& document) {
  document::Reading reading(document);
  const document::Field spec = reading.root()["spec"];
  spec["replicas"].number(0, kMostReplicas);
  const document::Field selector = spec["selector"];
  if (!selector.is_set()) selector.refuse_as("is required");
  if (selector["matchExpressions"].is_set())
    selector["matchExpressions"].refuse_as("the lab knows only matchLabels");
  const model::Labels wanted = selector["matchLabels"].labels();
  if (wanted.empty()) selector["matchLabels"].refuse_as("is required");
  const document::Field labels = spec["template"]["metadata"]["labels"];
  if (!matches(wanted, labels.labels())) labels.refuse_as("do not match spec.selector");
  WEFT_TRY(reading.outcome());
  WEFT_TRY(decode_pod_spec(document, "/spec/template/spec"));
  return {};
}

std::string template_hash(const Json& deployment) {
  return word_of(deployment.at("spec").at("template").dump(), kHashLength);
}

DeploymentStep step(const Json& deployment, const std::vector<OwnedPod>& pods) {
  const int replicas = number_at(deployment, "/spec/replicas", 1);
  const std::string hash = template_hash(deployment);
  DeploymentStep result;
  std::vector<OwnedPod> current;
  std::vector<OwnedPod> outdated;
  for (const OwnedPod& pod : pods) {
    if (pod.ended) {
      result.remove.push_back(pod.name);
    } else {
      (pod.template_hash == hash ? current : outdated).push_back(pod);
    }
  }
  const Limits limits = limits_of(deployment, replicas);
  const int total = static_cast<int>(current.size() + outdated.size());
  int ready = static_cast<int>(std::count_if(
      pods.begin(), pods.end(), [](const OwnedPod& pod) { return pod.ready && !pod.ended; }));

  const int missing = replicas - static_cast<int>(current.size());
  result.create =
      make_pods(deployment, hash, std::max(0, std::min(missing, limits.most - total)), pods);

  for (const OwnedPod& pod : not_ready_first(outdated)) {
    if (pod.ready && ready - 1 < limits.least_ready) continue;
    result.remove.push_back(pod.name);
    if (pod.ready) --ready;
  }
  current = not_ready_first(std::move(current));
  for (int i = 0; i < -missing; ++i)
    result.remove.push_back(current[static_cast<std::size_t>(i)].name);
  return result;
}

}  // namespace weft::lab

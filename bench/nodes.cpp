// SPDX-License-Identifier: Apache-2.0
//
// The claim: in a cluster of 1,000 nodes, 1,000 Node updates a second cost less than 5 % of a core,
// as they come from an API server (JSON, with all that a kubelet writes), decoded and not. A
// heartbeat changes nothing that is read; a label, one Node's labels.
// Usage: nodes [NODES]
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "cluster/manifests/decode.h"
#include "model/cluster_state.h"
#include "report.h"

namespace {

using weft::bench::Samples;
using weft::bench::value_or_exit;
using weft::model::ClusterState;
using weft::model::Node;

constexpr int kRounds = 20;
constexpr double kPromised = 5;  // % of a core

std::string condition(const char* type, unsigned beat) {
  return std::string(R"({"type":")") + type +
         R"(","status":"False","lastHeartbeatTime":"2026-01-01T00:00:)" +
         std::to_string(beat % 60) +
         R"(Z","lastTransitionTime":"2026-01-01T00:00:00Z","reason":"KubeletHasSufficientMemory",)"
         R"("message":"kubelet has sufficient memory available"})";
}

// As large as a kubelet's: conditions, capacity, the names and sizes of 50 images.
std::string manifest(unsigned number, unsigned beat, const std::string& label) {
  const std::string subnet = std::to_string(number / 250) + "." + std::to_string(number % 250);
  std::string text = R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"node)" +
                     std::to_string(number) + R"(","resourceVersion":")" + std::to_string(beat) +
                     R"(","labels":{"kubernetes.io/os":"linux","kubernetes.io/arch":"amd64",)"
                     R"("topology.kubernetes.io/zone":"a","pool":")" +
                     label + R"("}},"spec":{"podCIDRs":["10.)" + std::to_string(64 + number / 250) +
                     "." + std::to_string(number % 250) +
                     R"(.0/24"]},"status":{"addresses":[{"type":"InternalIP","address":"172.16.)" +
                     subnet + R"("},{"type":"Hostname","address":"node)" + std::to_string(number) +
                     R"("}],"capacity":{"cpu":"8","memory":"32Gi","pods":"110"},"conditions":[)";
  for (const char* type : {"MemoryPressure", "DiskPressure", "PIDPressure", "Ready"})
    text += (text.back() == '[' ? "" : ",") + condition(type, beat);
  text += R"(],"images":[)";
  for (unsigned i = 0; i < 50; ++i)
    text += (i == 0 ? R"({"names":["registry.example/image)"
                    : R"(,{"names":["registry.example/image)") +
            std::to_string(i) + R"(@sha256:0123456789abcdef0123456789abcdef"],"sizeBytes":123456})";
  return text + "]}}";
}

Node decoded(const std::string& text) {
  auto manifest = value_or_exit(weft::cluster::decode_manifest(text, "node.json"));
  return *std::get<weft::model::Shared<Node>>(manifest.objects.at(0));
}

// What `update(number, round)` costs for each Node in turn.
template <class Update>
Samples each_node(unsigned nodes, Update update) {
  Samples samples;
  for (unsigned round = 1; round <= kRounds; ++round)
    samples.measure([&] {
      for (unsigned number = 0; number < nodes; ++number) update(number, round);
    });
  return samples;
}

void expect_changes(ClusterState& state, std::size_t nodes) {
  if (state.take_changes().of<Node>().size() == nodes) return;
  std::fprintf(stderr, "bench: not the changes that were made\n");
  std::exit(1);
}

// Of 1,000 updates a second.
void print_share(const char* what, const Samples& samples, unsigned nodes) {
  const double share = samples.median() / nodes / 1000 * 100;
  std::printf(
      "  %-44s min %10.2f us   median %10.2f us   1,000/s: %5.2f %% of a core"
      "    promised < %.0f: %s\n",
      what, samples.minimum() / nodes, samples.median() / nodes, share, kPromised,
      share < kPromised ? "kept" : "NOT KEPT");
}

}  // namespace

int main(int argc, char** argv) {
  const auto nodes = argc > 1 ? static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10)) : 1000U;
  ClusterState state;
  std::vector<Node> objects;
  std::vector<std::string> texts;
  for (unsigned number = 0; number < nodes; ++number) {
    texts.push_back(manifest(number, 1, "a"));
    objects.push_back(decoded(texts.back()));
    state.upsert(objects.back());
  }
  expect_changes(state, nodes);

  std::printf("An update of one of %u Nodes (%zu bytes of JSON)\n", nodes, texts[0].size());
  print_share("a heartbeat, decoded",
              each_node(nodes, [&](unsigned number, unsigned) { state.upsert(objects[number]); }),
              nodes);
  expect_changes(state, 0);
  print_share(
      "a heartbeat, as JSON",
      each_node(nodes, [&](unsigned number, unsigned) { state.upsert(decoded(texts[number])); }),
      nodes);
  expect_changes(state, 0);
  // A pass for each: the agent takes the changes as they come.
  std::size_t changed = 0;
  print_share(
      "a label, as JSON",
      each_node(nodes,
                [&](unsigned number, unsigned round) {
                  state.upsert(decoded(manifest(number, round, round % 2 == 0 ? "a" : "b")));
                  changed += state.take_changes().of<Node>().size();
                }),
      nodes);
  if (changed != std::size_t{nodes} * kRounds) expect_changes(state, 1);
}

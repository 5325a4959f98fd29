// SPDX-License-Identifier: Apache-2.0
//
// What an update of a Node object costs the agent, from the object to the Reconciler's drivers
// (which here take everything at once): a heartbeat, that changes nothing; a label, that nobody
// reads; another pod CIDR of a peer; a Node that comes and goes. In a cluster with 10,000 Services,
// at each number of Nodes given.
//
// Usage: bench_node_updates NODES…
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "agent/feature_list.h"
#include "report.h"

namespace weft {
namespace {

constexpr int kServices = 10'000;
constexpr int kUpdates = 1'000;
constexpr double kMostMicroseconds = 50;  // 1,000 a second are 5 % of a core

template <class Kind>
class NoKernel final : public reconcile::PromptDriver<Kind> {
 public:
  Result<typename Kind::Table> read() override { return typename Kind::Table(); }
  void write(const reconcile::Changes<Kind>&, const reconcile::Desired<Kind>&,
             reconcile::WriteDone<Kind> done) override {
    done({});
  }
};

IpAddress address(std::uint8_t network, int number) {
  const auto n = static_cast<unsigned>(number);
  const std::array<std::uint8_t, 4> bytes{network, static_cast<std::uint8_t>(n >> 16),
                                          static_cast<std::uint8_t>(n >> 8),
                                          static_cast<std::uint8_t>(n)};
  return IpAddress::from_bytes(bytes);
}

model::Node node(int number) {
  model::Node made;
  made.name.name = "node" + std::to_string(number);
  made.internal_ips = {address(172, number)};
  made.pod_cidrs = {{address(10, number << 8), 24}};
  made.labels = {{"kubernetes.io/hostname", made.name.name}};
  return made;
}

class Cluster {
 public:
  explicit Cluster(int nodes) : nodes_(nodes) {
    tables::TableChanges().each([&]<class Kind>(const std::vector<reconcile::Edit<Kind>>&) {
      reconciler_.add<Kind>(std::make_unique<NoKernel<Kind>>(), {});
    });
    agent::Config config;
    config.node_name = "node0";
    config.cluster_cidrs = {value_or_exit(Prefix::parse("10.0.0.0/8"))};
    config.service_cidrs = {value_or_exit(Prefix::parse("96.0.0.0/8"))};
    features_ = std::make_unique<agent::Features>(agent::make_features(config, {}));
    for (int i = 0; i < nodes; ++i) state_.upsert(node(i));
    for (int i = 0; i < kServices; ++i) state_.upsert(service(i));
    plan();
    reconciler_.start();
    reconciler_.run();
  }

  void run() {
    std::printf("\n%d nodes, %d Services\n", nodes_, kServices);
    within("heartbeat of a Node", [&](int i) { state_.upsert(node(peer(i))); });
    within("label of a Node", [&](int i) { label(peer(i), i); });
    within("label of this Node", [&](int i) { label(0, i); });
    within("pod CIDR of a Node", [&](int i) {
      model::Node moved = node(peer(i));
      moved.pod_cidrs = {{address(10, (nodes_ + i) << 8), 24}};
      state_.upsert(moved);
    });
    measure("a Node comes, another goes", [&](int i) {
      state_.upsert(node(2 * nodes_ + i));
      if (i > 0) state_.remove(model::key<model::Node>(node(2 * nodes_ + i - 1).name));
    });
  }

 private:
  static model::Service service(int number) {
    model::Service made;
    made.name = {"default", "service" + std::to_string(number)};
    made.cluster_ips = {address(96, number)};
    made.ports = {{"", model::Protocol::kTcp, 80, 0}};
    return made;
  }
  int peer(int i) const { return 1 + i % (nodes_ - 1); }
  void label(int number, int i) {
    model::Node labelled = node(number);
    labelled.labels["heard"] = std::to_string(i);
    state_.upsert(labelled);
  }
  void plan() {
    bench::exit_unless(features_->update(
        state_, state_.take_changes(), *state_.nodes().at({"", "node0"}), underlay_, reconciler_));
  }
  template <class Update>
  bench::Samples measure(const char* what, Update update) {
    bench::Samples samples;
    for (int i = 0; i < kUpdates; ++i)
      samples.measure([&] {
        update(i);
        plan();
        reconciler_.run();
      });
    bench::print(what, samples);
    return samples;
  }
  template <class Update>
  void within(const char* what, Update update) {
    const double median = measure(what, update).median();
    if (median > kMostMicroseconds)
      std::printf("    promised <= %.0f us: NOT KEPT\n", kMostMicroseconds);
  }
  template <class T>
  static T value_or_exit(Result<T> result) {
    return bench::value_or_exit(std::move(result));
  }

  int nodes_;
  SteadyClock clock_{};
  reconcile::Reconciler reconciler_{clock_, {}};
  model::ClusterState state_{};
  podnet::Underlay underlay_{"eth0", 1500, address(172, 0)};
  std::unique_ptr<agent::Features> features_{};
};

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) weft::Cluster(std::atoi(argv[i])).run();
}

// SPDX-License-Identifier: Apache-2.0
//
// The claim: from a ServiceDelta to the kernel's acknowledgement (plan, merge, diff, encode, send,
// wait) costs little more than the kernel's own part. Contestants: the whole pipeline, and the
// floor: the very same batches, encoded beforehand, sent and acknowledged. Both run in turn, each
// in a network namespace of its own: a full load of N Services with ten endpoints into an empty
// table, then single endpoints replaced one by one, any of the ten. The bare element update,
// against which that is held, is the smallest batch there is: one element of the endpoints map
// gives way to another.
//
// Before that comes the compile step. Its row is the hard case: one endpoint of a Service that has
// 5,000 of them, in slices of a hundred, behind 5 frontends; from the changed EndpointSlice to the
// elements that are to be written.
//
//   services [--terse] N...     --terse: only the minimum of load and change, in microseconds
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "linux/netns.h"
#include "model/service_compiler.h"
#include "reconcile/reconciler.h"
#include "report.h"
#include "service/nftables/backend.h"
#include "tables/names.h"
#include "tables/nft_driver.h"
#include "tables/nft_transaction.h"
#include "tables/table_states.h"

namespace {

using weft::bench::exit_unless;
using weft::bench::PrivateNetns;
using weft::bench::Samples;
using weft::bench::value_or_exit;
using weft::model::ServiceDelta;
using weft::model::ServiceTable;
using weft::tables::NftKind;

constexpr std::size_t kEndpoints = 10;
const std::string kTable(weft::tables::kServicesTable);

weft::Prefix prefix(const char* text) { return value_or_exit(weft::Prefix::parse(text)); }

weft::model::Frontend frontend(std::size_t service) {
  static const weft::Prefix cluster_ips = prefix("10.96.0.0/16");
  return {cluster_ips.at(service + 1), weft::model::Protocol::kTcp, 80};
}

// Each one new, and higher than all before it.
weft::model::Backend next_backend() {
  static const weft::Prefix endpoints = prefix("10.244.0.0/16");
  static std::uint64_t used = 0;
  return {endpoints.at(++used), 8080, false};
}

weft::model::PoolKey pool(std::size_t service) {
  return {{"default", "service-" + std::to_string(service)},
          "http",
          weft::model::Protocol::kTcp,
          weft::IpFamily::kIpv4};
}

ServiceTable table_of(std::size_t services) {
  ServiceTable table;
  ServiceDelta ignored;
  for (std::size_t i = 0; i < services; ++i) {
    const weft::model::FrontendEntry entry{weft::model::FrontendKind::kClusterIp, false, pool(i)};
    weft::model::Pool& made = table.pools[entry.pool];
    made.frontends = {frontend(i)};
    for (std::size_t n = 0; n < kEndpoints; ++n) made.backends.push_back(next_backend());
    count_cluster_ip(table, ignored, frontend(i), entry);
    table.frontends.emplace(frontend(i), entry);
  }
  return table;
}

// One endpoint of one Service gives way to another; the table has it, the delta says it.
ServiceDelta replace_one(ServiceTable& table, std::size_t service, std::uint32_t slot) {
  const weft::model::PoolKey key = pool(service);
  weft::model::Backend& held = table.pools.at(key).backends[slot];
  const weft::model::Backend now = next_backend();  // takes the slot of the one that goes
  ServiceDelta delta;
  delta.pools = {{key, {frontend(service)}, kEndpoints, kEndpoints, {{slot, held, now}}}};
  held = now;
  return delta;
}

weft::netlink::Socket netfilter_socket(const PrivateNetns& netns) {
  const weft::Netns opened = value_or_exit(weft::Netns::open(netns.path()));
  const weft::NetnsGuard guard = value_or_exit(weft::NetnsGuard::enter(opened));
  return value_or_exit(weft::netlink::Socket::open(NETLINK_NETFILTER));
}

// Encodes a write's batch as NftDriver does, and keeps it for later.
class EncodingDriver final : public weft::reconcile::PromptDriver<NftKind> {
 public:
  explicit EncodingDriver(std::deque<weft::nft::Batch>& batches) : batches_(batches) {}
  weft::Result<NftKind::Table> read() override { return NftKind::Table{}; }
  void write(const weft::reconcile::Changes<NftKind>& changes,
             const weft::reconcile::Desired<NftKind>& desired,
             weft::reconcile::WriteDone<NftKind> done) override {
    const auto transaction =
        value_or_exit(weft::tables::NftTransaction::plan(changes, desired, {}));
    transaction.encode(batches_.emplace_back());
    done({});
  }

 private:
  std::deque<weft::nft::Batch>& batches_;
};

// Plan, merge and run: what the agent does with a delta.
class Pipeline {
 public:
  explicit Pipeline(std::shared_ptr<weft::reconcile::Driver<NftKind>> driver) {
    reconciler_.add<NftKind>(std::move(driver), {.stage = 6, .atomic = true});
    weft::tables::TableChanges base;
    backend_.plan_base(
        {{prefix("10.244.0.0/16")}, {prefix("10.96.0.0/16")}, {weft::IpFamily::kIpv4}}, base);
    merge_and_run(base);
    reconciler_.start();
    reconciler_.run();
  }
  void apply(const ServiceTable& table, const ServiceDelta& delta) {
    weft::tables::TableChanges changes;
    backend_.plan(table, delta, changes);
    merge_and_run(changes);
  }

 private:
  void merge_and_run(const weft::tables::TableChanges& changes) {
    reconciler_.merge<NftKind>("services", changes.of<NftKind>());
    reconciler_.run();
    for (const weft::Error& error : reconciler_.failing()) exit_unless(weft::fail(error.message));
  }

  weft::SteadyClock clock_{};
  weft::reconcile::Reconciler reconciler_{clock_, {}};
  weft::service::NftablesBackend backend_{};
};

// The whole pipeline and the floor, side by side; who comes first changes from one to the next.
class Round {
 public:
  Round() { commit_all(); }  // the fixed part
  void apply(const ServiceTable& table, const ServiceDelta& delta, Samples& ours, Samples& floor) {
    encoder_.apply(table, delta);
    static bool ours_first = false;
    ours_first = !ours_first;
    if (ours_first) ours.measure([&] { ours_.apply(table, delta); });
    floor.measure([&] { commit_all(); });
    if (!ours_first) ours.measure([&] { ours_.apply(table, delta); });
  }

 private:
  void commit_all() {
    for (weft::nft::Batch& batch : batches_) exit_unless(batch.commit(floor_socket_));
    batches_.clear();
  }

  PrivateNetns our_netns_ = value_or_exit(PrivateNetns::create());
  PrivateNetns floor_netns_ = value_or_exit(PrivateNetns::create());
  weft::netlink::Socket floor_socket_ = netfilter_socket(floor_netns_);
  std::deque<weft::nft::Batch> batches_{};
  Pipeline ours_{std::make_shared<weft::tables::NftDriver>(netfilter_socket(our_netns_), kTable)};
  Pipeline encoder_{std::make_shared<EncodingDriver>(batches_)};
};

struct Outcome {
  Samples load{};
  Samples load_floor{};
  Samples change{};
  Samples change_floor{};
  Samples element{};
  Samples element_floor{};
};

Outcome measure(std::size_t services, int rounds, int changes) {
  Outcome outcome;
  for (int round = 0; round < rounds; ++round) {
    ServiceTable table = table_of(services);
    Round contest;
    contest.apply(table, from_scratch(table), outcome.load, outcome.load_floor);
    for (int i = 0; i < changes; ++i) {
      const std::size_t service = static_cast<std::size_t>(std::rand()) % services;
      const auto slot = static_cast<std::uint32_t>(i) % std::uint32_t{kEndpoints};
      const ServiceDelta any = replace_one(table, service, slot);
      contest.apply(table, any, outcome.change, outcome.change_floor);
      const ServiceDelta last = replace_one(table, service, kEndpoints - 1);
      contest.apply(table, last, outcome.element, outcome.element_floor);
    }
  }
  return outcome;
}

void print(std::size_t services, const Outcome& outcome) {
  std::printf("%zu Services x %zu endpoints\n", services, kEndpoints);
  weft::bench::print("full load", outcome.load);
  weft::bench::print("full load, bare batch", outcome.load_floor);
  weft::bench::print("one endpoint", outcome.change);
  weft::bench::print("one endpoint, bare batch", outcome.change_floor);
  weft::bench::print("bare element update", outcome.element_floor);
  weft::bench::print_ratio("full load / bare batch", outcome.load, outcome.load_floor, 1.3);
  weft::bench::print_ratio("one endpoint / bare batch", outcome.change, outcome.change_floor, 1.5);
  weft::bench::print_ratio("one endpoint / bare element update", outcome.change,
                           outcome.element_floor, 3);
}

// A NodePort Service on four addresses of the node, beside its ClusterIP.
class LargeService {
 public:
  static constexpr std::size_t kSlices = 50;
  static constexpr std::size_t kSliceSize = 100;

  LargeService() {
    weft::model::Service service;
    service.name = {"default", "large"};
    service.type = weft::model::ServiceType::kNodePort;
    service.cluster_ips = {prefix("10.96.0.0/16").at(1)};
    service.ports = {{"http", weft::model::Protocol::kTcp, 80, 30080}};
    state_.upsert(service);
    for (std::size_t i = 0; i < kSlices; ++i) {
      weft::model::EndpointSlice slice;
      slice.name = {"default", "large-" + std::to_string(i)};
      slice.service_name = "large";
      slice.ports = {{"http", weft::model::Protocol::kTcp, 8080}};
      for (std::size_t n = 0; n < kSliceSize; ++n)
        slice.endpoints.push_back({{next_backend().address}, true, true, false, "node-2"});
      slices_.push_back(slice);
      state_.upsert(std::move(slice));
    }
    backend_.plan_base({{}, {}, {weft::IpFamily::kIpv4}}, changes_);
    compile_and_plan();
  }

  // One endpoint gives way to another.
  void replace_one(Samples& samples) {
    weft::model::EndpointSlice& slice =
        slices_[static_cast<std::size_t>(std::rand()) % slices_.size()];
    slice.endpoints[static_cast<std::size_t>(std::rand()) % kSliceSize].address =
        next_backend().address;
    weft::model::EndpointSlice told = slice;
    changes_ = {};
    samples.measure([&] {
      state_.upsert(std::move(told));
      compile_and_plan();
    });
    if (changes_.of<NftKind>().size() != kFrontends)
      exit_unless(weft::fail("one endpoint is not one element for each frontend"));
  }

 private:
  static constexpr std::size_t kFrontends = 5;

  void compile_and_plan() {
    const ServiceDelta delta = compiler_.compile(state_, state_.take_changes());
    backend_.plan(compiler_.table(), delta, changes_);
  }

  std::vector<weft::model::EndpointSlice> slices_{};
  weft::model::ClusterState state_{};
  weft::model::ServiceCompiler compiler_{
      {"node-1",
       {prefix("192.0.2.0/24").at(1), prefix("192.0.2.0/24").at(2), prefix("192.0.2.0/24").at(3),
        prefix("192.0.2.0/24").at(4)}}};
  weft::service::NftablesBackend backend_{};
  weft::tables::TableChanges changes_{};
};

void print_large_service() {
  constexpr double kMost = 50;
  LargeService service;
  Samples samples;
  for (int i = 0; i < 2000; ++i) service.replace_one(samples);
  std::printf("1 Service x %zu endpoints, 5 frontends\n",
              LargeService::kSlices * LargeService::kSliceSize);
  weft::bench::print("one endpoint: compiler and plan", samples);
  std::printf("  %-44s promised <= %.0f us: %s\n", "", kMost,
              samples.median() <= kMost ? "kept" : "NOT KEPT");
}

}  // namespace

int main(int argc, char** argv) {
  const bool terse = argc > 1 && std::strcmp(argv[1], "--terse") == 0;
  if (!terse) print_large_service();
  std::vector<std::pair<std::size_t, Outcome>> outcomes;
  for (int i = terse ? 2 : 1; i < argc; ++i) {
    const std::size_t services = std::strtoul(argv[i], nullptr, 10);
    if (services == 0) {
      std::fprintf(stderr, "usage: services [--terse] N...\n");
      return 2;
    }
    outcomes.emplace_back(services, measure(services, terse ? 1 : services > 5000 ? 4 : 8, 300));
    const Outcome& outcome = outcomes.back().second;
    if (terse)
      std::printf("%.1f %.1f\n", outcome.load.minimum(), outcome.change.minimum());
    else
      print(services, outcome);
  }
  if (!terse && outcomes.size() > 1)
    weft::bench::print_ratio("one endpoint: most Services / fewest", outcomes.back().second.change,
                             outcomes.front().second.change, 1.2);
  return 0;
}

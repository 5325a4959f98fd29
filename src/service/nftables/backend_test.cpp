// SPDX-License-Identifier: Apache-2.0
// The plan and the way back, without a kernel.
#include "service/nftables/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "service/nftables/elements.h"
#include "service/nftables/fixture.h"

namespace weft::service {
namespace {

using model::Backend;
using model::Frontend;
using model::FrontendKind;
using model::Protocol;
using model::ServiceTable;
using tables::NftKind;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

const Frontend kWeb{ip("10.96.0.10"), Protocol::kTcp, 80};
const Backend kOne{ip("10.244.1.2"), 8080, true};
const Backend kTwo{ip("10.244.2.2"), 8080, false};
const Backend kThree{ip("10.244.3.2"), 8080, false};

ServiceTable web(std::vector<Backend> backends) {
  return table_of({{kWeb, {FrontendKind::kClusterIp, std::move(backends), false}}});
}

NftKind::Table applied(NftKind::Table table, const tables::TableChanges& changes) {
  for (const auto& edit : changes.of<NftKind>()) {
    if (edit.value)
      table[edit.key] = *edit.value;
    else
      table.erase(edit.key);
  }
  return table;
}

NftKind::Table planned(const ServiceTable& services) {
  NftablesBackend backend;
  tables::TableChanges changes;
  backend.plan_base(test_context(), changes);
  backend.plan(services, model::from_scratch(services), changes);
  return applied({}, changes);
}

// "services { … }" → what becomes of it, for the edits from one table to another.
std::vector<std::string> edits(const ServiceTable& before, const ServiceTable& after) {
  planned(after);  // so that elements are described by their sets' fields
  NftablesBackend backend;
  tables::TableChanges ignored;
  backend.plan(before, model::from_scratch(before), ignored);
  tables::TableChanges changes;
  backend.plan(after, model::difference(before, after), changes);
  std::vector<std::string> texts;
  for (const auto& [key, value] : changes.of<NftKind>()) {
    std::string text = key.name->name;
    if (const auto endpoint = nftables::read_endpoint_key(key.element.view(), IpFamily::kIpv4);
        endpoint && key.name->name == "endpoints")
      text += " " + endpoint->frontend.to_string() + " " + std::to_string(endpoint->index);
    else if (const auto frontend = nftables::read_frontend(key.element.view(), IpFamily::kIpv4))
      text += " " + frontend->to_string();
    else if (!key.element.empty())
      text += " " + nftables::read_address(key.element.view(), IpFamily::kIpv4)->to_string();
    if (!value)
      text += " removed";
    else if (const auto target = nftables::read_backend(value->data().view(), IpFamily::kIpv4);
             target && key.name->name == "endpoints")
      text += " : " + target->to_string();
    else if (!value->data().empty())
      text += " : " + std::string(reinterpret_cast<const char*>(value->data().view().data()) + 4,
                                  value->data().view().size() - 4);
    texts.push_back(text);
  }
  return texts;
}

TEST(NftablesPlan, AFrontendWithBackends) {
  EXPECT_THAT(edits({}, web({kOne, kTwo})),
              ElementsAre("n2", "services 10.96.0.10:80/TCP : n2",
                          "endpoints 10.96.0.10:80/TCP 0 : 10.244.1.2:8080",
                          "endpoints 10.96.0.10:80/TCP 1 : 10.244.2.2:8080",
                          "cluster-ips 10.96.0.10", "hairpin 10.244.1.2"));
}

TEST(NftablesPlan, WithoutBackendsItIsRefused) {
  EXPECT_THAT(edits({}, web({})),
              ElementsAre("checks 10.96.0.10:80/TCP : reject-it", "cluster-ips 10.96.0.10"));
  EXPECT_THAT(edits(web({}), web({kTwo})),
              ElementsAre("n1", "services 10.96.0.10:80/TCP : n1",
                          "endpoints 10.96.0.10:80/TCP 0 : 10.244.2.2:8080",
                          "checks 10.96.0.10:80/TCP removed"));
  EXPECT_THAT(
      edits(web({kTwo}), web({})),
      ElementsAre("n1 removed", "services 10.96.0.10:80/TCP removed",
                  "endpoints 10.96.0.10:80/TCP 0 removed", "checks 10.96.0.10:80/TCP : reject-it"));
}

TEST(NftablesPlan, AChangeTouchesOnlyWhatChanged) {
  EXPECT_THAT(edits(web({kOne, kTwo}), web({kOne, kThree})),
              ElementsAre("endpoints 10.96.0.10:80/TCP 1 : 10.244.3.2:8080"));
  EXPECT_THAT(edits(web({kOne, kTwo, kThree}), web({kOne, kThree})),
              ElementsAre("n2", "n3 removed", "services 10.96.0.10:80/TCP : n2",
                          "endpoints 10.96.0.10:80/TCP 1 : 10.244.3.2:8080",
                          "endpoints 10.96.0.10:80/TCP 2 removed"));
  // Local or not is hairpin's alone.
  EXPECT_THAT(edits(web({kOne}), web({{kOne.address, kOne.port, false}})),
              ElementsAre("hairpin 10.244.1.2 removed"));
}

TEST(NftablesPlan, NodePortsAreMasqueraded) {
  const Frontend node_port{ip("172.31.0.11"), Protocol::kUdp, 30053};
  const ServiceTable table = table_of({{node_port, {FrontendKind::kNodePort, {kTwo}, true}}});
  EXPECT_THAT(edits({}, table),
              ElementsAre("n1", "services 172.31.0.11:30053/UDP : n1",
                          "endpoints 172.31.0.11:30053/UDP 0 : 10.244.2.2:8080",
                          "masquerade-frontends 172.31.0.11:30053/UDP : masquerade-all"));
  EXPECT_THAT(edits(table, {}),
              UnorderedElementsAre("n1 removed", "services 172.31.0.11:30053/UDP removed",
                                   "endpoints 172.31.0.11:30053/UDP 0 removed",
                                   "masquerade-frontends 172.31.0.11:30053/UDP removed"));
}

TEST(NftablesPlan, OnlyTheFamiliesOfTheContextHaveATable) {
  ServiceContext context = test_context();
  context.families = {IpFamily::kIpv6};
  tables::TableChanges changes;
  NftablesBackend().plan_base(context, changes);
  for (const auto& edit : changes.of<NftKind>())
    EXPECT_EQ(edit.key.name->family, nftables::protocol_family(IpFamily::kIpv6));
}

TEST(NftablesInterpret, WhatItDoesNotUnderstandIsNamedAndTheRestTakenOver) {
  NftKind::Table table = planned(web({kOne}));
  const Interpretation before = NftablesBackend().services_in(table);
  const auto services = std::find_if(table.begin(), table.end(), [](const auto& entry) {
    return entry.first.name->name == "services" && !entry.first.element.empty();
  });
  const std::uint32_t two = 2;
  const NftKind::Key foreign{services->first.name, tables::nft_fields({bytes_of(two)})};
  table[foreign] = tables::nft_verdict(0);  // drop
  const Interpretation interpreted = NftablesBackend().services_in(table);
  EXPECT_FALSE(before.services.frontends.empty());
  EXPECT_EQ(interpreted.services, before.services);
  EXPECT_THAT(interpreted.foreign, ElementsAre(::testing::HasSubstr("services")));
  EXPECT_THAT(before.foreign, ::testing::IsEmpty());
}

// ---- Properties ---------------------------------------------------------------------------------

template <class Number>
Number random(Number low, Number high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<Number>(low, high));
}

ServiceTable random_table() {
  Frontends frontends;
  for (int i = random(0, 6); i > 0; --i) {
    const bool v4 = *rc::gen::arbitrary<bool>();
    const bool node_port = *rc::gen::arbitrary<bool>();
    const IpAddress base = ip(node_port ? (v4 ? "172.31.0.10" : "fd00:172:31::10")
                                        : (v4 ? "10.96.0.10" : "fd00:10:96::10"));
    model::Served entry{
        node_port ? FrontendKind::kNodePort : FrontendKind::kClusterIp, {}, node_port};
    for (std::uint64_t n = 1; n <= 5; ++n)
      if (*rc::gen::arbitrary<bool>())
        entry.backends.push_back({ip(v4 ? "10.244.1.0" : "fd00:10:244:1::").plus(n),
                                  random<std::uint16_t>(1, 4), n % 2 == 0});
    frontends.push_back(
        {{base.plus(random<std::uint64_t>(0, 2)), *rc::gen::element(Protocol::kTcp, Protocol::kUdp),
          random<std::uint16_t>(1, 4)},
         entry});
  }
  return table_of(frontends);  // the first of each
}

bool same(const NftKind::Table& a, const NftKind::Table& b) {
  return reconcile::diff<NftKind>(a, b).empty();
}

TEST(NftablesProperty, IncrementalIsFromScratchAndInterpretIsTheInverse) {
  EXPECT_TRUE(rc::check([] {
    NftablesBackend backend;
    ServiceTable services;
    NftKind::Table incremental = planned(services);
    for (int step = random(1, 8); step > 0; --step) {
      const ServiceTable next = random_table();
      tables::TableChanges changes;
      backend.plan(next, model::difference(services, next), changes);
      services = next;
      incremental = applied(std::move(incremental), changes);
      RC_ASSERT(same(incremental, planned(services)));
      const auto interpreted = backend.services_in(incremental);
      RC_ASSERT(interpreted.foreign.empty());
      RC_ASSERT(interpreted.services == services);
    }
  }));
}

}  // namespace
}  // namespace weft::service

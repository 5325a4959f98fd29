// SPDX-License-Identifier: Apache-2.0
// The back end in a real kernel: what nft(8) lists of it, and that what is read is what was meant.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "base/temporary_directory.h"
#include "linux/file.h"
#include "linux/netns_fixture.h"
#include "service/nftables/fixture.h"

namespace weft::service {
namespace {

using model::Backend;
using model::FrontendKind;
using model::Protocol;
using model::ServiceTable;

class NftablesRuleset : public NetnsFixture {};

// A ClusterIP over three backends, a node port over two, one without backends; each in both
// families.
ServiceTable small_table() {
  const std::vector<Backend> v4{{ip("10.244.1.2"), 8080, true},
                                {ip("10.244.2.2"), 8080, false},
                                {ip("10.244.3.2"), 8080, false}};
  const std::vector<Backend> v6{{ip("fd00:10:244:1::2"), 8080, true},
                                {ip("fd00:10:244:2::2"), 8080, false},
                                {ip("fd00:10:244:3::2"), 8080, false}};
  const std::vector<Backend> v4_dns{{ip("10.244.1.3"), 53, true}, {ip("10.244.2.3"), 53, false}};
  const std::vector<Backend> v6_dns{{ip("fd00:10:244:1::3"), 53, true},
                                    {ip("fd00:10:244:2::3"), 53, false}};
  using enum FrontendKind;
  return table_of({{{ip("10.96.0.10"), Protocol::kTcp, 80}, {kClusterIp, v4, false}},
                   {{ip("10.96.0.11"), Protocol::kUdp, 53}, {kClusterIp, v4_dns, false}},
                   {{ip("10.96.0.12"), Protocol::kTcp, 80}, {kClusterIp, {}, false}},
                   {{ip("172.31.0.11"), Protocol::kUdp, 30053}, {kNodePort, v4_dns, true}},
                   {{ip("fd00:10:96::10"), Protocol::kTcp, 80}, {kClusterIp, v6, false}},
                   {{ip("fd00:10:96::11"), Protocol::kUdp, 53}, {kClusterIp, v6_dns, false}},
                   {{ip("fd00:10:96::12"), Protocol::kTcp, 80}, {kClusterIp, {}, false}},
                   {{ip("fd00:172:31::11"), Protocol::kUdp, 30053}, {kNodePort, v6_dns, true}}});
}

void expect_golden(const std::string& actual, const std::string& name) {
  const std::string golden = std::string(WEFT_TESTDATA) + "/" + name;
  EXPECT_EQ(read_file(golden).value(), actual) << golden << " is not what the kernel has now";
}

TEST_F(NftablesRuleset, NftListsItAsTheGoldenFilesSay) {
  Kernel kernel;
  kernel.change_to(small_table());
  kernel.write();
  expect_golden(sh("nft list table ip weft-services"), "small-ip.nft");
  expect_golden(sh("nft list table ip6 weft-services"), "small-ip6.nft");
}

TEST_F(NftablesRuleset, NftReadsItsOwnListingBack) {
  Kernel kernel;
  kernel.change_to(small_table());
  kernel.write();
  const TemporaryDirectory directory;
  for (const std::string family : {"ip", "ip6"}) {
    const std::string listing = sh("nft list table " + family + " weft-services");
    const std::string path = directory.path() + "/" + family + ".nft";
    std::ofstream(path) << listing;
    const Netns other = fresh_netns();
    const NetnsGuard inside = NetnsGuard::enter(other).value();
    sh("nft -c -f " + path);
    sh("nft -f " + path);
    EXPECT_EQ(sh("nft list table " + family + " weft-services"), listing);
  }
}

TEST_F(NftablesRuleset, WhatIsReadIsWhatWasMeant) {
  Kernel kernel;
  kernel.change_to(small_table());
  kernel.write();
  EXPECT_TRUE(kernel.drift().empty());
  EXPECT_EQ(kernel.interpreted(), small_table());
}

TEST_F(NftablesRuleset, AnElementChangedByHandIsSeenInBoth) {
  Kernel kernel;
  kernel.change_to(small_table());
  kernel.write();
  sh("nft delete element ip weft-services endpoints { 10.96.0.10 . tcp . 80 . 2 : 10.244.3.2 . "
     "8080 }");
  EXPECT_EQ(kernel.drift().size(), 1U);
  const ServiceTable interpreted = kernel.interpreted();
  EXPECT_EQ(
      interpreted.backends_of(interpreted.frontends.at({ip("10.96.0.10"), Protocol::kTcp, 80}))
          .size(),
      2U);
}

TEST_F(NftablesRuleset, RandomChangesEndAsFromScratch) {
  std::mt19937 random(20);
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  Kernel kernel;
  ServiceTable table;
  std::map<model::Frontend, model::Served> frontends;
  for (int step = 0; step < 60; ++step) {
    for (auto changes = 1 + below(4); changes > 0; --changes) {
      const bool v4 = below(2) == 0;
      const model::Frontend frontend{ip(v4 ? "10.96.0.10" : "fd00:10:96::10").plus(below(4)),
                                     below(2) == 0 ? Protocol::kTcp : Protocol::kUdp, 80};
      model::Served entry{FrontendKind::kClusterIp, {}, false};
      for (auto n = below(6); n > 0; --n)
        entry.backends.push_back({ip(v4 ? "10.244.1.0" : "fd00:10:244:1::").plus(6 * below(9) + n),
                                  8080, below(2) == 0});
      std::sort(entry.backends.begin(), entry.backends.end());
      // One address is local or not, whichever frontend lists it.
      for (Backend& backend : entry.backends)
        backend.local = backend.address.bytes().back() % 2 == 0;
      entry.backends.erase(std::unique(entry.backends.begin(), entry.backends.end()),
                           entry.backends.end());
      if (below(4) == 0)
        frontends.erase(frontend);
      else
        frontends[frontend] = entry;
    }
    table = table_of({frontends.begin(), frontends.end()});
    kernel.change_to(table);
    kernel.write();
    ASSERT_EQ(kernel.interpreted(), table) << "step " << step;
  }
  ASSERT_TRUE(kernel.drift().empty());

  const Netns other = fresh_netns();
  const NetnsGuard inside = NetnsGuard::enter(other).value();
  Kernel anew;
  anew.change_to(table);
  anew.write();
  EXPECT_TRUE(anew.drift().empty());
  const tables::NftKind::Table from_scratch = anew.read();
  const tables::NftKind::Table incremental = kernel.read();
  EXPECT_TRUE(reconcile::diff<tables::NftKind>(from_scratch, incremental).empty());
}

}  // namespace
}  // namespace weft::service

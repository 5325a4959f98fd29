// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tables/nft_sample_test.h"

namespace weft::tables {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr IpFamily kFamilies[] = {IpFamily::kIpv4, IpFamily::kIpv6};

class NftDriverTest : public ::testing::Test, protected NftDriverHarness {};

TEST_F(NftDriverTest, WhatIsWrittenReadsBackAlike) {
  for (const IpFamily family : kFamilies) {
    const Sample sample(family);
    EXPECT_EQ(write({}, sample.table()), "");
  }
  NftKind::Table both = Sample(IpFamily::kIpv4).table();
  both.merge(NftKind::Table(Sample(IpFamily::kIpv6).table()));
  EXPECT_THAT(drift(both), IsEmpty());
  shell("nft list ruleset");
}

TEST_F(NftDriverTest, AnEmptyTableRemovesAll) {
  for (const IpFamily family : kFamilies) {
    const Sample sample(family);
    ASSERT_EQ(write({}, sample.table()), "");
    EXPECT_EQ(repair({}), "");
  }
  EXPECT_EQ(shell("nft list ruleset"), "");
}

TEST_F(NftDriverTest, ObjectsGoOneByOneToo) {
  for (const IpFamily family : kFamilies) {
    Sample sample(family);
    ASSERT_EQ(write({}, sample.table()), "");
    NftKind::Table less = sample.table();
    // The map and the chains behind it, which the remaining rule does not need.
    for (auto at = less.begin(); at != less.end();) {
      const std::string& name = at->first.name->name;
      const bool goes =
          name == "services" || name == "endpoints" || name == "n2" || name == "pre-nat";
      at = goes ? less.erase(at) : std::next(at);
    }
    EXPECT_EQ(write(sample.table(), less), "");
    EXPECT_THAT(drift(less), IsEmpty());
    EXPECT_EQ(write(less, sample.table()), "");
    EXPECT_THAT(drift(sample.table()), IsEmpty());
    ASSERT_EQ(write(sample.table(), {}), "");
  }
}

TEST_F(NftDriverTest, DriftIsNamedAndRepaired) {
  for (const IpFamily family : kFamilies) {
    const Sample sample(family);
    ASSERT_EQ(repair(sample.table()), "");
    const std::string p = sample.prefix();
    const std::string one = sample.address(1).to_string();
    const std::string pod = family == IpFamily::kIpv4 ? "10.244.0.0/16" : "fd00:10:244::/56";
    const std::string pod_first = family == IpFamily::kIpv4 ? "10.244.0.0" : "fd00:10:244::";
    const std::pair<std::string, std::vector<std::string>> cases[] = {
        {"delete element " + p + " services { " + one + " . tcp . 80 }",
         {"missing " + p + " map services { " + one + " . tcp . 80 }"}},
        {"add element " + p + " services { " + one + " . sctp . 9 : goto n2 }",
         {"unexpected " + p + " map services { " + one + " . sctp . 9 }"}},
        {"delete element " + p + " endpoints { " + one + " . tcp . 80 . 1 }",
         {"missing " + p + " map endpoints { " + one + " . tcp . 80 . 1 }"}},
        {"delete element " + p + " pod-cidrs { " + pod + " }",
         {"missing " + p + " set pod-cidrs { " + pod_first + " }"}},
        {"flush chain " + p + " n2", {"different " + p + " chain n2"}},
        {"add rule " + p + " n2 counter", {"different " + p + " chain n2"}},
        {"insert rule " + p + " pre-nat counter accept", {"different " + p + " chain pre-nat"}},
        {"add chain " + p + " check { policy drop\\; }", {"different " + p + " chain check"}},
        {"add chain " + p + " foreign", {"unexpected " + p + " chain foreign"}},
        {"add chain " + p + " foreign { type filter hook input priority 5\\; }",
         {"unexpected " + p + " chain foreign"}},
        {"add rule " + p + " reject-it meta l4proto { 6, 17 } jump { counter\\; drop\\; }",
         {"different " + p + " chain reject-it"}},
        {"add set " + p +
             R"( foreign { type inet_service\; flags interval\; elements = { 5-7 }\; })",
         {"unexpected " + p + " set foreign", "unexpected " + p + " set foreign { 5 }"}},
        {"add table inet weft-test", {"unexpected inet weft-test"}},
        {"add table " + p + " { flags dormant\\; }", {"different " + p}},
        {"flush set " + p + " hairpin",
         {"missing " + p + " set hairpin { " + one + " . " + one + " }"}},
    };
    for (const auto& [command, expected] : cases) {
      shell("nft " + command);
      EXPECT_EQ(drift(sample.table()), expected) << command;
      EXPECT_EQ(repair(sample.table()), "") << command;
      EXPECT_THAT(drift(sample.table()), IsEmpty()) << command;
    }
    shell("nft delete table " + p);
    EXPECT_EQ(drift(sample.table()).size(), sample.table().size());
    EXPECT_EQ(repair(sample.table()), "");
    EXPECT_THAT(drift(sample.table()), IsEmpty());
  }
}

TEST_F(NftDriverTest, AReplacedRuleIsDrift) {
  const Sample sample(IpFamily::kIpv4);
  ASSERT_EQ(write({}, sample.table()), "");
  const std::string listing = shell("nft -a list chain ip weft-test n2");
  const std::string handle =
      listing.substr(listing.find("# handle ", listing.find("numgen")) + 9, 2);
  shell("nft replace rule ip weft-test n2 handle " + handle + " counter");
  EXPECT_THAT(drift(sample.table()), ElementsAre("different ip weft-test chain n2"));
  EXPECT_EQ(repair(sample.table()), "");
  EXPECT_THAT(drift(sample.table()), IsEmpty());
}

TEST_F(NftDriverTest, ElementsOfDynamicSetsAreNotCompared) {
  const Sample sample(IpFamily::kIpv4);
  ASSERT_EQ(write({}, sample.table()), "");
  shell(
      "nft add element ip weft-test affinity { 1.1.1.1 . 10.96.0.1 . tcp . 80 timeout 1h : "
      "10.1.1.1 . 80 }");
  EXPECT_THAT(drift(sample.table()), IsEmpty());
  EXPECT_EQ(repair(sample.table()), "");
  EXPECT_THAT(shell("nft list map ip weft-test affinity"),
              HasSubstr("1.1.1.1 . 10.96.0.1 . tcp . 80"));
}

TEST_F(NftDriverTest, ChangesAreWrittenInPlace) {
  Sample sample(IpFamily::kIpv4);
  ASSERT_EQ(write({}, sample.table()), "");
  const NftKind::Table before = sample.table();
  sample.table()[sample.service(1, 80)] = nft_verdict(NF_DROP);
  sample.table()[sample.service(2, 80)] = nft_verdict(NFT_GOTO, "n2");
  sample.table()[sample.endpoint(1, 80, 0)] = sample.backend(1002, 8081);
  sample.table().erase(sample.endpoint(1, 80, 1));
  // A wider interval over one that goes, with the same first key.
  NftKind::Key pods = sample.key(NftType::kSet, "pod-cidrs");
  pods.element = nft_fields({Prefix::parse("10.244.0.0/16").value().address.bytes()});
  sample.table().erase(
      sample.element("pod-cidrs", {IpAddress::parse("10.245.0.0").value().bytes()}));
  sample.table()[pods] = last_key(Prefix::parse("10.244.0.0/15").value());
  EXPECT_EQ(write(before, sample.table()), "");
  EXPECT_THAT(drift(sample.table()), IsEmpty());
  EXPECT_THAT(shell("nft list set ip weft-test pod-cidrs"), HasSubstr("10.244.0.0/15"));
}

TEST_F(NftDriverTest, WhatCannotBeChangedIsMadeAnew) {
  for (const IpFamily family : kFamilies) {
    Sample sample(family);
    ASSERT_EQ(repair(sample.table()), "");
    const NftKind::Table before = sample.table();
    sample.add_set("hairpin", {.flags = NFT_SET_INTERVAL, .key = {nft::address_type(family)}});
    std::erase_if(sample.table(), [](const auto& entry) {
      return entry.first.name->name == "hairpin" && !entry.first.element.empty();
    });
    NftChain check = *sample.table()[sample.key(NftType::kChain, "check")].chain();
    check.hook->priority = -120;
    sample.table()[sample.key(NftType::kChain, "check")] = nft_chain(check);
    EXPECT_EQ(write(before, sample.table()), "");
    EXPECT_THAT(drift(sample.table()), IsEmpty());
  }
}

TEST_F(NftDriverTest, OtherTablesAreLeftAlone) {
  shell(
      "nft 'add table ip filter; add chain ip filter weft-chain { type filter hook input priority "
      "0; }; "
      "add rule ip filter weft-chain tcp dport { 22, 80 } counter accept; "
      "add table inet mine-weft-; add set inet mine-weft- s { type ipv4_addr; flags interval; "
      "elements = { 10.0.0.0/8 }; }; add table bridge weft-test; add table netdev weft-test; add "
      "table ip weft-other; add set ip "
      "weft-other s { type ipv4_addr; elements = { 10.0.0.1 }; }'");
  const std::string before = shell("nft list ruleset");
  const Sample sample(IpFamily::kIpv4);
  ASSERT_EQ(repair(sample.table()), "");
  ASSERT_EQ(repair({}), "");
  EXPECT_EQ(shell("nft list ruleset"), before);
}

TEST_F(NftDriverTest, ATableThatAnotherProcessHoldsIsNamed) {
  FILE* const owner = ::popen("nft -i >/dev/null", "w");
  std::fputs("add table ip6 weft-test { flags owner; }\n", owner);
  std::fflush(owner);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (read().empty() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  const Sample sample(IpFamily::kIpv4);
  EXPECT_THAT(repair(sample.table()),
              AllOf(HasSubstr("table ip6 weft-test is held by another process (flags owner): "),
                    HasSubstr("Operation not permitted")));
  ::pclose(owner);
  EXPECT_EQ(repair(sample.table()), "");
}

TEST_F(NftDriverTest, AnElementWithoutItsSetIsRefused) {
  Sample sample(IpFamily::kIpv4);
  NftKind::Table table = sample.table();
  table.erase(sample.key(NftType::kSet, "services"));
  EXPECT_THAT(write({}, table), HasSubstr("services: has elements, but is in no plan itself"));
  EXPECT_EQ(shell("nft list ruleset"), "");
}

TEST_F(NftDriverTest, WritingWhatIsThereIsSuccess) {
  const Sample sample(IpFamily::kIpv4);
  ASSERT_EQ(write({}, sample.table()), "");
  EXPECT_EQ(write({}, sample.table()), "");
  EXPECT_THAT(drift(sample.table()), IsEmpty());
}

TEST_F(NftDriverTest, AHundredThousandElementsGoInOneBatch) {
  Sample sample(IpFamily::kIpv6);
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    sample.table()[sample.service(n, 80)] = nft_verdict(NFT_GOTO, "n2");
    for (std::uint32_t index = 0; index < 9; ++index)
      sample.table()[sample.endpoint(n, 80, index)] = sample.backend(n * 16 + index, 8080);
  }
  EXPECT_EQ(write({}, sample.table()), "");
  EXPECT_THAT(drift(sample.table()), IsEmpty());
  EXPECT_EQ(write(sample.table(), {}), "");
  EXPECT_THAT(drift({}), IsEmpty());
}

}  // namespace
}  // namespace weft::tables

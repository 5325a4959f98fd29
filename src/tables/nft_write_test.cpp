// SPDX-License-Identifier: Apache-2.0
// What the kernel refuses of a write is named, and the rest written.
#include <gmock/gmock.h>

#include <algorithm>

#include "linux/nft/dump.h"
#include "tables/nft_sample_test.h"

namespace weft::tables {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class NftWriteTest : public ::testing::Test, protected NftDriverHarness {
 protected:
  void SetUp() override { ASSERT_EQ(write({}, sample_.table()), ""); }

  // Writes sample_ over `before`: the keys that were refused, "*" for one without.
  std::vector<std::string> refused(const NftKind::Table& before) {
    return told(failures(before, sample_.table()));
  }
  std::vector<std::string> told(const std::vector<reconcile::WriteFailure<NftKind>>& failures) {
    std::vector<std::string> keys;
    error_.clear();
    for (const auto& failure : failures) {
      keys.push_back((failure.half_done ? "half done, " : "") +
                     (failure.key ? NftKind::describe(*failure.key) : "*"));
      error_ += failure.error.message;
    }
    return keys;
  }
  // Which makes the whole table anew.
  void retype_hairpin() {
    const NftKind::Key key = sample_.key(NftType::kSet, "hairpin");
    NftSet set = *sample_.table().at(key).set();
    set.size = 4'096;
    sample_.table()[key] = nft_set(set);
  }
  NftKind::Table without(std::initializer_list<NftKind::Key> keys) const {
    NftKind::Table table = sample_.table();
    for (const NftKind::Key& key : keys) table.erase(key);
    return table;
  }
  std::uint32_t generation() { return nft::generation(socket_).value(); }

  Sample sample_{IpFamily::kIpv4};
  std::string error_{};
  netlink::Socket socket_ = open_socket();
};

TEST_F(NftWriteTest, OneRefusedForEverHoldsUpNobody) {
  const NftKind::Key bad = sample_.service(7, 80);
  NftKind::Table held = sample_.table();  // in the kernel
  sample_.table()[bad] = nft_verdict(NFT_GOTO, "nowhere");
  for (std::uint64_t n = 0; n < 20; ++n) {
    sample_.table()[sample_.service(100 + n, 80)] = nft_verdict(NFT_GOTO, "n2");
    if (n % 3 == 2) sample_.table().erase(sample_.service(99 + n, 80));
    const std::uint32_t before = generation();
    EXPECT_THAT(refused(held), ElementsAre("ip weft-test map services { 10.96.0.7 . tcp . 80 }"));
    EXPECT_THAT(error_, AllOf(HasSubstr("ip weft-test services: NFT_MSG_NEWSETELEM"),
                              HasSubstr("No such file")));
    EXPECT_EQ(generation(), before + 1);
    held = without({bad});
    EXPECT_THAT(drift(held), IsEmpty());
  }
}

TEST_F(NftWriteTest, AFewOfManyElementsAreFound) {
  const NftKind::Table before = sample_.table();
  std::vector<NftKind::Key> bad;
  for (std::uint64_t n = 0; n < 5'000; ++n) {
    const NftKind::Key key = sample_.service(1'000 + n, 80);
    if (n % 500 == 77) bad.push_back(key);
    sample_.table()[key] = nft_verdict(NFT_GOTO, n % 500 == 77 ? "nowhere" : "n2");
  }
  EXPECT_EQ(refused(before).size(), bad.size());
  NftKind::Table expected = sample_.table();
  for (const NftKind::Key& key : bad) expected.erase(key);
  EXPECT_THAT(drift(expected), IsEmpty());
}

TEST_F(NftWriteTest, WhatDependsOnARefusedOneIsRefusedWithIt) {
  const NftKind::Table before = sample_.table();
  const NftKind::Key chain = sample_.key(NftType::kChain, "broken");
  nft::RuleBuilder rule(IpFamily::kIpv4);
  sample_.table()[chain] =
      nft_chain({.hook = {}, .rules = {rule.frontend().verdict_map("no-such-map").rule()}});
  const NftKind::Key depends = sample_.service(8, 80);
  sample_.table()[depends] = nft_verdict(NFT_GOTO, "broken");
  sample_.table()[sample_.service(9, 80)] = nft_verdict(NF_DROP);
  EXPECT_THAT(refused(before),
              UnorderedElementsAre("ip weft-test chain broken",
                                   "ip weft-test map services { 10.96.0.8 . tcp . 80 }"));
  EXPECT_THAT(drift(without({chain, depends})), IsEmpty());
}

TEST_F(NftWriteTest, AnUnknownSetKeepsItsElementsWhenItCannotGo) {
  // "hairpin" goes, but somebody's rule looks into it.
  shell(
      "nft add chain ip weft-test theirs; nft add rule ip weft-test theirs ip saddr . ip daddr "
      "@hairpin drop");
  const NftKind::Table before = sample_.table();
  const IpAddress one = sample_.address(1);
  sample_.table().erase(sample_.key(NftType::kSet, "hairpin"));
  sample_.table().erase(sample_.element("hairpin", {one.bytes(), one.bytes()}));
  sample_.table()[sample_.service(9, 80)] = nft_verdict(NF_DROP);
  EXPECT_THAT(refused(before),
              UnorderedElementsAre("ip weft-test set hairpin",
                                   "ip weft-test set hairpin { 10.96.0.1 . 10.96.0.1 }"));
  EXPECT_THAT(error_, HasSubstr("busy"));
  EXPECT_THAT(drift(sample_.table()),
              UnorderedElementsAre(
                  "unexpected ip weft-test chain theirs", "unexpected ip weft-test set hairpin",
                  "unexpected ip weft-test set hairpin { 10.96.0.1 . 10.96.0.1 }"));
}

TEST_F(NftWriteTest, WhatIsGoneAlreadyIsRemoved) {
  const NftKind::Table before = sample_.table();
  shell("nft flush map ip weft-test endpoints; nft flush map ip weft-test services");
  sample_.table().erase(sample_.endpoint(1, 80, 0));                     // gone
  sample_.table()[sample_.endpoint(1, 80, 1)] = sample_.backend(5, 80);  // replaced, and gone
  sample_.table().erase(sample_.service(1, 53, IPPROTO_UDP));
  EXPECT_THAT(refused(before), IsEmpty()) << error_;
  EXPECT_THAT(drift(sample_.table()),
              ElementsAre("missing ip weft-test map services { 10.96.0.1 . tcp . 80 }"));
}

TEST_F(NftWriteTest, SomebodyElsesValueIsAFailureOfTheWhole) {
  const NftKind::Table before = sample_.table();
  shell("nft add element ip weft-test services '{ 10.96.0.9 . tcp . 80 : drop }'");
  sample_.table()[sample_.service(8, 80)] = nft_verdict(NF_DROP);
  sample_.table()[sample_.service(9, 80)] = nft_verdict(NFT_GOTO, "n2");
  EXPECT_THAT(refused(before), ElementsAre("*"));
  EXPECT_THAT(error_, HasSubstr("File exists"));
  EXPECT_EQ(repair(sample_.table()), "");
}

TEST_F(NftWriteTest, OverlappingIntervalsAreTheFaultOfOne) {
  const NftKind::Table before = sample_.table();
  sample_.add_range("10.244.7.0/24");  // in 10.244.0.0/16
  sample_.table()[sample_.service(8, 80)] = nft_verdict(NF_DROP);
  EXPECT_THAT(refused(before), ElementsAre("ip weft-test set pod-cidrs { 10.244.7.0 }")) << error_;
  NftKind::Key range = sample_.key(NftType::kSet, "pod-cidrs");
  range.element = nft_fields({IpAddress::parse("10.244.7.0").value().bytes()});
  EXPECT_THAT(drift(without({range})), IsEmpty());
}

TEST_F(NftWriteTest, ATableIsMadeAnewWithoutWhatIsRefused) {
  const NftKind::Table before = sample_.table();
  const NftKind::Key bad = sample_.service(7, 80);
  sample_.table()[bad] = nft_verdict(NFT_GOTO, "nowhere");
  sample_.table()[sample_.service(8, 80)] = nft_verdict(NFT_GOTO, "n2");
  retype_hairpin();
  const std::uint32_t generation = this->generation();
  EXPECT_THAT(refused(before),
              ElementsAre("half done, ip weft-test map services { 10.96.0.7 . tcp . 80 }"));
  EXPECT_THAT(error_, HasSubstr("No such file"));
  EXPECT_EQ(this->generation(), generation + 1);
  EXPECT_THAT(drift(without({bad})), IsEmpty());
}

TEST_F(NftWriteTest, WhatATableThatIsMadeAnewLosesIsNamedThoughNobodyChangedIt) {
  const NftKind::Table held = sample_.table();
  const NftKind::Key chain = sample_.key(NftType::kChain, "broken");
  nft::RuleBuilder rule(IpFamily::kIpv4);
  sample_.table()[chain] =
      nft_chain({.hook = {}, .rules = {rule.frontend().verdict_map("no-such-map").rule()}});
  const NftKind::Key depends = sample_.service(7, 80);
  sample_.table()[depends] = nft_verdict(NFT_GOTO, "broken");
  const NftKind::Table before = sample_.table();
  retype_hairpin();
  EXPECT_THAT(refused(before),
              UnorderedElementsAre("half done, ip weft-test chain broken",
                                   "half done, ip weft-test map services { 10.96.0.7 . tcp . 80 }"))
      << error_;
  EXPECT_THAT(drift(without({chain, depends})), IsEmpty());
}

TEST_F(NftWriteTest, ASetThatCannotBecomeAnotherStaysAndTheRestIsWritten) {
  const NftKind::Table before = sample_.table();
  const NftKind::Key services = sample_.key(NftType::kSet, "services");
  const NftKind::Value was = sample_.table().at(services);
  NftSet none = *was.set();
  none.flags = NFT_SET_TIMEOUT | NFT_SET_CONSTANT;  // which do not go together
  sample_.table()[services] = nft_set(none);
  sample_.table()[sample_.element("cluster-ips", {sample_.address(2).bytes()})] = {};
  EXPECT_THAT(refused(before), ElementsAre("ip weft-test map services")) << error_;
  sample_.table()[services] = was;
  EXPECT_THAT(drift(sample_.table()), IsEmpty());
}

TEST_F(NftWriteTest, ASetThatIsLeftOutTakesAlongWhatIsInIt) {
  const NftKind::Table before = sample_.table();
  const NftKind::Key ips = sample_.key(NftType::kSet, "cluster-ips");
  NftSet none = *sample_.table().at(ips).set();
  none.flags = NFT_SET_TIMEOUT | NFT_SET_CONSTANT;
  sample_.table()[ips] = nft_set(none);
  retype_hairpin();
  const NftKind::Key one = sample_.element("cluster-ips", {sample_.address(1).bytes()});
  const NftKind::Key check = sample_.key(NftType::kChain, "check");  // looks into it
  EXPECT_THAT(refused(before), UnorderedElementsAre("half done, ip weft-test set cluster-ips",
                                                    "half done, ip weft-test set cluster-ips "
                                                    "{ 10.96.0.1 }",
                                                    "half done, ip weft-test chain check"))
      << error_;
  EXPECT_THAT(drift(without({ips, one, check})), IsEmpty());
}

}  // namespace
}  // namespace weft::tables

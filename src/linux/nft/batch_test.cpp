// SPDX-License-Identifier: Apache-2.0
#include "linux/nft/batch.h"

#include <gmock/gmock.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <map>

#include "linux/nft/dump.h"
#include "linux/nft/nft_oracle_test.h"

namespace weft::nft {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::uint8_t kIp = NFPROTO_IPV4;

class BatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    enter_new_namespace();
    socket_.emplace(open_socket());
  }

  // The error, or "" when it was committed.
  std::string commit(Batch& batch) {
    const auto result = batch.commit(*socket_);
    return result ? "" : result.error().message;
  }

  std::map<std::string, std::string> elements(std::string_view set, const Set& definition) {
    std::map<std::string, std::string> found;
    const auto text = [](Bytes bytes) { return std::string(bytes.begin(), bytes.end()); };
    Dump dump(*socket_);
    EXPECT_TRUE(dump.elements(kIp, "t", set, definition,
                              [&](Bytes key, Bytes value) { found[text(key)] = text(value); }));
    EXPECT_TRUE(dump.finish());
    return found;
  }

  std::optional<netlink::Socket> socket_{};
};

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

Bytes span(const std::string& text) { return bytes_of(std::string_view(text)); }

TEST_F(BatchTest, AnEmptyBatchIsNotSent) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(commit(batch), "");
  EXPECT_EQ(generation(*socket_).value(), 1U);
}

TEST_F(BatchTest, TheErrorNamesTheObjectAndTheMessage) {
  const std::pair<std::function<void(Batch&)>, std::string> cases[] = {
      {[](Batch& batch) { batch.delete_table(kIp, "t"); }, "ip t: NFT_MSG_DELTABLE: No such file"},
      {[](Batch& batch) { batch.add_chain(NFPROTO_IPV6, "t", "c", {}); },
       "ip6 t c: NFT_MSG_NEWCHAIN: No such file"},
      {[](Batch& batch) { batch.delete_chain(NFPROTO_INET, "t", "c"); },
       "inet t c: NFT_MSG_DELCHAIN: No such file"},
      {[](Batch& batch) { batch.flush_chain(kIp, "t", "c"); },
       "ip t c: NFT_MSG_DELRULE: No such file"},
      {[](Batch& batch) { batch.delete_set(kIp, "t", "s"); },
       "ip t s: NFT_MSG_DELSET: No such file"},
      {[](Batch& batch) {
         batch.add_table(kIp, "t", 0);
         batch.add_chain(kIp, "t", "c", {});
         RuleBuilder rule(IpFamily::kIpv4);
         batch.add_rule(kIp, "t", "c", rule.jump("nowhere").rule());
       },
       "ip t c: NFT_MSG_NEWRULE: No such file"},
  };
  for (const auto& [fill, message] : cases) {
    Batch batch;
    fill(batch);
    EXPECT_THAT(commit(batch), StartsWith(message));
  }
  EXPECT_EQ(shell("nft list ruleset").first, "");
}

TEST_F(BatchTest, IntervalsOfOneFieldAtEveryEdge) {
  const Set set{.flags = NFT_SET_INTERVAL, .key = {kIpv4Address}};
  const std::map<std::string, std::string> intervals{
      {bytes({0, 0, 0, 0}), bytes({0, 0, 0, 9})},  // from the first key
      {bytes({10, 0, 0, 0}), bytes({10, 0, 255, 255})},
      {bytes({10, 1, 0, 0}), bytes({10, 1, 255, 255})},        // right behind it
      {bytes({10, 3, 0, 7}), bytes({10, 3, 0, 7})},            // one key
      {bytes({192, 168, 0, 0}), bytes({255, 255, 255, 255})},  // to the last key
  };
  Batch batch;
  batch.add_table(kIp, "t", 0);
  batch.add_set(kIp, "t", "s", set);
  for (const auto& [key, value] : intervals)
    batch.add_element({kIp, "t", "s", &set}, span(key), span(value));
  ASSERT_EQ(commit(batch), "");
  EXPECT_EQ(elements("s", set), intervals);
  EXPECT_THAT(
      shell("nft list set ip t s").first,
      HasSubstr("elements = { 0.0.0.0-0.0.0.9, 10.0.0.0/16,\n\t\t\t     10.1.0.0/16, 10.3.0.7,\n"
                "\t\t\t     192.168.0.0-255.255.255.255 }"));

  Batch removal;
  for (const auto& [key, value] : intervals)
    removal.delete_element({kIp, "t", "s", &set}, span(key), span(value));
  EXPECT_EQ(commit(removal), "");
  EXPECT_TRUE(elements("s", set).empty());
}

TEST_F(BatchTest, ReadsIntervalsThatNftMade) {
  ASSERT_EQ(nft_load("table ip t {\n set s { type ipv4_addr; flags interval; "
                     "elements = { 10.0.0.0/16, 10.2.0.0/16, 200.0.0.0-255.255.255.255 }; }\n"
                     " set r { type ipv4_addr . inet_service; flags interval; "
                     "elements = { 10.0.0.0/8 . 80, 10.1.1.1 . 1-5 }; }\n}\n")
                .first,
            "");
  EXPECT_EQ(elements("s", {.flags = NFT_SET_INTERVAL, .key = {kIpv4Address}}),
            (std::map<std::string, std::string>{
                {bytes({10, 0, 0, 0}), bytes({10, 0, 255, 255})},
                {bytes({10, 2, 0, 0}), bytes({10, 2, 255, 255})},
                {bytes({200, 0, 0, 0}), bytes({255, 255, 255, 255})},
            }));
  EXPECT_EQ(elements("r", {.flags = NFT_SET_INTERVAL, .key = {kIpv4Address, kInetService}}),
            (std::map<std::string, std::string>{
                {bytes({10, 0, 0, 0, 0, 80, 0, 0}), bytes({10, 255, 255, 255, 0, 80, 0, 0})},
                {bytes({10, 1, 1, 1, 0, 1, 0, 0}), bytes({10, 1, 1, 1, 0, 5, 0, 0})},
            }));
}

TEST_F(BatchTest, EveryVerdictReadsBack) {
  const Set map{.key = {kInetService}, .verdict_map = true};
  std::map<std::string, std::string> verdicts;
  int key = 0;
  const auto verdict = [&](std::int32_t code, const std::string& chain) {
    verdicts[bytes({0, ++key})] =
        std::string(reinterpret_cast<const char*>(&code), sizeof code) + chain;
  };
  verdict(NF_DROP, "");
  verdict(NF_ACCEPT, "");
  verdict(NFT_RETURN, "");
  verdict(NFT_CONTINUE, "");
  verdict(NFT_JUMP, "c");
  verdict(NFT_GOTO, "a-chain-with-a-name-as-long-as-ours-are");
  Batch batch;
  batch.add_table(kIp, "t", 0);
  batch.add_chain(kIp, "t", "c", {});
  batch.add_chain(kIp, "t", "a-chain-with-a-name-as-long-as-ours-are", {});
  batch.add_set(kIp, "t", "m", map);
  for (const auto& [element, value] : verdicts)
    batch.add_element({kIp, "t", "m", &map}, span(element), span(value));
  ASSERT_EQ(commit(batch), "");
  EXPECT_EQ(elements("m", map), verdicts);
}

TEST_F(BatchTest, ATimeoutIsTheElementsOwn) {
  const Set set{.flags = NFT_SET_TIMEOUT, .key = {kIpv4Address}};
  Batch batch;
  batch.add_table(kIp, "t", 0);
  batch.add_set(kIp, "t", "s", set);
  batch.add_element({kIp, "t", "s", &set}, span(bytes({10, 0, 0, 1})), {}, std::chrono::hours(2));
  batch.add_element({kIp, "t", "s", &set}, span(bytes({10, 0, 0, 2})), {});
  ASSERT_EQ(commit(batch), "");
  const std::string listing = shell("nft list set ip t s").first;
  EXPECT_THAT(listing, HasSubstr("10.0.0.1 timeout 2h expires"));
  EXPECT_THAT(listing, HasSubstr("10.0.0.2 }"));
}

TEST_F(BatchTest, SetsInTurnAndAdditionsAndRemovalsInTurnGetMessagesOfTheirOwn) {
  const Set set{.key = {kIpv4Address}};
  Batch batch;
  batch.add_table(kIp, "t", 0);
  batch.add_set(kIp, "t", "a", set);
  batch.add_set(kIp, "t", "b", set);
  for (int i = 1; i < 5; ++i) {
    batch.add_element({kIp, "t", "a", &set}, span(bytes({10, 0, 0, i})), {});
    batch.add_element({kIp, "t", "b", &set}, span(bytes({10, 0, 0, i})), {});
  }
  batch.delete_element({kIp, "t", "b", &set}, span(bytes({10, 0, 0, 3})), {});
  batch.add_element({kIp, "t", "b", &set}, span(bytes({10, 0, 0, 9})), {});
  ASSERT_EQ(commit(batch), "");
  EXPECT_EQ(elements("a", set).size(), 4U);
  EXPECT_EQ(elements("b", set).size(), 4U);
  EXPECT_TRUE(elements("b", set).contains(bytes({10, 0, 0, 9})));
}

TEST_F(BatchTest, ChainsReadBackWithHookAndPolicy) {
  const Chain::Hook hook{
      .type = "filter", .hook = NF_INET_FORWARD, .priority = -7, .policy = NF_DROP};
  Batch batch;
  batch.add_table(kIp, "t", 0);
  batch.add_chain(kIp, "t", "base", {.hook = hook, .rules = {}});
  batch.add_chain(kIp, "t", "plain", {});
  batch.add_table(kIp, "other", 0);
  batch.add_chain(kIp, "other", "elsewhere", {});
  ASSERT_EQ(commit(batch), "");
  std::vector<ChainRecord> chains;
  Dump dump(*socket_);
  ASSERT_TRUE(dump.chains(kIp, "t", [&](ChainRecord chain) { chains.push_back(chain); }));
  ASSERT_TRUE(dump.finish());
  ASSERT_EQ(chains.size(), 2U);
  EXPECT_EQ(chains[0].name, "base");
  EXPECT_EQ(chains[0].chain.hook, hook);
  EXPECT_EQ(chains[1].name, "plain");
  EXPECT_FALSE(chains[1].chain.hook.has_value());
  EXPECT_FALSE(chains[1].anonymous);
}

TEST(SetTest, FieldsAreReadFromTheTypeNumber) {
  const std::vector<FieldType> fields{kIpv6Address, kInetProtocol, kInetService, kInteger};
  EXPECT_EQ(fields_of(type_number(fields), length_of(fields)), fields);
  EXPECT_EQ(fields_of(9, 6), (std::vector<FieldType>{{9, 6}}));  // an Ethernet address
  EXPECT_TRUE(fields_of(0, 4).empty());
}

TEST(SetTest, WhatCannotBeChangedDiffers) {
  const Set set{.key = {kIpv4Address}, .data = {kInetService}};
  EXPECT_TRUE(same_definition(
      set, {.flags = NFT_SET_MAP, .key = {kIpv4Address}, .data = {kInetService}, .size = 9}));
  EXPECT_FALSE(same_definition({.key = {kIpv4Address}, .data = {kInetService}, .size = 8},
                               {.key = {kIpv4Address}, .data = {kInetService}, .size = 9}));
  EXPECT_FALSE(same_definition(set, {.key = {kIpv6Address}, .data = {kInetService}}));
  EXPECT_FALSE(same_definition(set, {.key = {kIpv4Address}, .data = {kIpv4Address}}));
  EXPECT_FALSE(same_definition(set, {.key = {kIpv4Address}, .verdict_map = true}));
  EXPECT_FALSE(same_definition(
      set, {.flags = NFT_SET_TIMEOUT, .key = {kIpv4Address}, .data = {kInetService}}));
  EXPECT_FALSE(same_definition(set, {.key = {kIpv4Address}}));
}

}  // namespace
}  // namespace weft::nft

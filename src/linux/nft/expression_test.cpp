// SPDX-License-Identifier: Apache-2.0
#include "linux/nft/expression.h"

#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <functional>
#include <vector>

#include "linux/nft/batch.h"
#include "linux/nft/dump.h"
#include "linux/nft/nft_oracle_test.h"

namespace weft::nft {
namespace {

using R = RuleBuilder;

Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

// A rule, and the words nft(8) and Rule::to_string() have for it ("" = the same as nft's).
struct Case {
  std::function<void(R&)> build{};
  std::string nft{};
  std::string ours{};
};

const std::vector<Case>& ipv4_cases() {
  static const std::vector<Case> cases{
      {[](R& r) { r.source_address().in_prefix(prefix("10.244.0.0/16")).accept(); },
       "ip saddr 10.244.0.0/16 accept"},
      {[](R& r) { r.destination_address().not_in_prefix(prefix("10.0.0.0/9")).drop(); },
       "ip daddr != 10.0.0.0/9 drop"},
      {[](R& r) {
         r.destination_address().equals(prefix("10.1.2.3").address.bytes()).return_to_caller();
       },
       "ip daddr 10.1.2.3 return"},
      {[](R& r) {
         r.protocol_is(6).destination_port().equals(bytes_of(to_be(std::uint16_t{80}))).accept();
       },
       "tcp dport 80 accept", "meta l4proto tcp th dport 80 accept"},
      {[](R& r) { r.jump("other"); }, "jump other"},
      {[](R& r) { r.go_to("other"); }, "goto other"},
      {[](R& r) { r.conntrack_state().not_equals(8).accept(); }, "ct state != new accept"},
      {[](R& r) { r.conntrack_status().has_none(32).accept(); }, "ct status ! dnat accept",
       "ct status & dnat == 0 accept"},
      {[](R& r) { r.conntrack_status().has_all(32).accept(); }, "ct status & dnat == dnat accept"},
      {[](R& r) { r.counter().accept(); }, "counter packets 0 bytes 0 accept", "counter accept"},
      {[](R& r) { r.reject(); }, "reject"},
      {[](R& r) { r.protocol_is(6).reject_with_reset(); }, "reject with tcp reset",
       "meta l4proto tcp reject with tcp reset"},
  };
  return cases;
}

const std::vector<Case>& ipv6_cases() {
  static const std::vector<Case> cases{
      {[](R& r) { r.source_address().in_prefix(prefix("fd00:10:244::/57")).accept(); },
       "ip6 saddr fd00:10:244::/57 accept"},
      {[](R& r) { r.destination_address().not_in_prefix(prefix("ff00::/8")).drop(); },
       "ip6 daddr != ff00::/8 drop"},
      {[](R& r) { r.original_destination().equals(prefix("fd00::1").address.bytes()).accept(); },
       "ct original ip6 daddr fd00::1 accept"},
      {[](R& r) { r.reject(); }, "reject"},
  };
  return cases;
}

const std::vector<Case>& source_nat_cases() {
  static const std::vector<Case> cases{
      {[](R& r) { r.masquerade(); }, "masquerade fully-random"},
  };
  return cases;
}

class ExpressionTest : public ::testing::Test {
 protected:
  // Loads the rules in one chain; requires nft's words for each, that each reads back the same, and
  // that so does what nft makes of its own listing.
  static void check(std::uint8_t protocol, IpFamily family, const std::vector<Case>& cases,
                    const Chain& chain) {
    enter_new_namespace();
    netlink::Socket socket = open_socket();
    Batch batch;
    batch.add_table(protocol, "t", 0);
    batch.add_chain(protocol, "t", "other", {});
    batch.add_chain(protocol, "t", "c", chain);
    std::vector<Rule> rules;
    for (const Case& test : cases) {
      RuleBuilder builder(family);
      test.build(builder);
      rules.push_back(builder.rule("why"));
      EXPECT_EQ(rules.back().to_string(),
                (test.ours.empty() ? test.nft : test.ours) + " comment \"why\"");
      batch.add_rule(protocol, "t", "c", rules.back());
    }
    const auto committed = batch.commit(socket);
    ASSERT_TRUE(committed) << committed.error().message;
    expect_in_kernel(rules, protocol);

    const std::string listing = shell("nft list ruleset").first;
    for (const Case& test : cases)
      EXPECT_NE(listing.find("\t" + test.nft + " comment \"why\"\n"), std::string::npos)
          << test.nft << "\n"
          << listing;
    enter_new_namespace();
    const auto [complaint, loaded] = nft_load(listing);
    ASSERT_TRUE(loaded) << complaint;
    EXPECT_EQ(shell("nft list ruleset").first, listing);
  }

  static void expect_in_kernel(const std::vector<Rule>& rules, std::uint8_t protocol) {
    netlink::Socket socket = open_socket();
    std::vector<RuleRecord> records;
    Dump dump(socket);
    ASSERT_TRUE(dump.rules(protocol, "t", [&](RuleRecord rule) { records.push_back(rule); }));
    ASSERT_TRUE(dump.finish());
    ASSERT_EQ(records.size(), rules.size());
    for (std::size_t i = 0; i < rules.size(); ++i)
      EXPECT_TRUE(rules[i].matches(records[i].rule)) << rules[i].to_string();
  }
};

TEST_F(ExpressionTest, ReadsBackTheSameAndListsAsNftWritesIt) {
  const Chain filter{.hook = Chain::Hook{.type = "filter", .hook = NF_INET_LOCAL_IN, .priority = 0},
                     .rules = {}};
  check(NFPROTO_IPV4, IpFamily::kIpv4, ipv4_cases(), filter);
  check(NFPROTO_IPV6, IpFamily::kIpv6, ipv6_cases(), filter);
}

TEST_F(ExpressionTest, NatReadsBackTheSame) {
  const auto chain = [](std::uint32_t hook) {
    return Chain{.hook = Chain::Hook{.type = "nat", .hook = hook, .priority = 0}, .rules = {}};
  };
  check(NFPROTO_IPV4, IpFamily::kIpv4, source_nat_cases(), chain(NF_INET_POST_ROUTING));
}

Rule rule_of(const std::function<void(R&)>& build, std::string_view comment = {}) {
  RuleBuilder builder(IpFamily::kIpv4);
  build(builder);
  return builder.rule(comment);
}

TEST(NftRuleTest, DiffersInEveryPart) {
  const std::vector<Rule> rules{
      rule_of([](R& r) { r.frontend().in_set("a").accept(); }),
      rule_of([](R& r) { r.frontend().in_set("a").accept(); }, "comment"),
      rule_of([](R& r) { r.frontend().in_set("b").accept(); }),
      rule_of([](R& r) { r.frontend().not_in_set("a").accept(); }),
      rule_of([](R& r) { r.frontend().verdict_map("a").accept(); }),
      rule_of([](R& r) { r.backend().in_set("a").accept(); }),
      rule_of([](R& r) { r.frontend().in_set("a").drop(); }),
      rule_of([](R& r) { r.frontend().in_set("a").jump("x"); }),
      rule_of([](R& r) { r.frontend().in_set("a").jump("y"); }),
      rule_of([](R& r) { r.frontend().in_set("a").go_to("x"); }),
      rule_of([](R& r) { r.frontend().in_set("a"); }),
      rule_of([](R& r) { r.conntrack_state().has_all(2); }),
      rule_of([](R& r) { r.conntrack_state().has_all(4); }),
      rule_of([](R& r) { r.conntrack_state().has_none(4); }),
      rule_of([](R& r) { r.conntrack_state().equals(4); }),
  };
  for (std::size_t i = 0; i < rules.size(); ++i)
    for (std::size_t j = 0; j < rules.size(); ++j)
      EXPECT_EQ(rules[i].matches(rules[j]), i == j)
          << rules[i].to_string() << " | " << rules[j].to_string();
}

TEST(NftRuleTest, CountersDoNotCount) {
  const auto with_count = [](std::uint64_t packets) {
    netlink::Batch batch;
    netlink::Message message = batch.add(0, 0);
    message.nest(NFTA_LIST_ELEM, [&] {
      message.text(NFTA_EXPR_NAME, "counter");
      message.nest(NFTA_EXPR_DATA, [&] {
        message.be64(NFTA_COUNTER_BYTES, packets * 100).be64(NFTA_COUNTER_PACKETS, packets);
      });
    });
    return Rule::from_kernel(batch.bytes().subspan(NLMSG_HDRLEN), "");
  };
  EXPECT_TRUE(rule_of([](R& r) { r.counter(); }).matches(with_count(5)));
}

TEST(NftRuleTest, ALongCommentIsCut) {
  EXPECT_EQ(rule_of([](R& r) { r.drop(); }, std::string(500, 'x')).comment(),
            std::string(127, 'x'));
}

TEST(NftRuleTest, GarbageFromTheKernelIsNoRuleOfOurs) {
  const std::vector<std::uint8_t> garbage{1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Rule rule = Rule::from_kernel(garbage, "");
  EXPECT_FALSE(rule_of([](R& r) { r.drop(); }).matches(rule));
  EXPECT_EQ(rule.to_string(), "");
}

}  // namespace
}  // namespace weft::nft

// SPDX-License-Identifier: Apache-2.0
// The flat Service layout, built by raw netlink and by nft(8) from text: both must list the same,
// and read back as the same bytes.
#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <map>

#include "linux/nft/batch.h"
#include "linux/nft/dump.h"
#include "linux/nft/nft_oracle_test.h"
#include "linux/nft/userdata.h"

namespace weft::nft {
namespace {

using std::chrono::seconds;

constexpr std::uint8_t kProtocols[] = {6, 17, 132};  // TCP, UDP, SCTP

struct Named {
  std::string name{};
  Set set{};
};

class FlatLayout {
 public:
  // nft(8) 1.0.6 does not read back its own listing of the rules that learn affinity (it drops the
  // protocol that gives `ct original proto-dst` a type), and cannot compile them for IPv6 at all.
  explicit FlatLayout(IpFamily family, bool with_affinity = true)
      : family_(family), with_affinity_(with_affinity) {
    const FieldType address = address_type(family);
    const std::vector<FieldType> frontend{address, kInetProtocol, kInetService};
    const std::vector<FieldType> backend{address, kInetService};
    const auto verdicts = [&](const char* name) {
      sets_.push_back({name, {.key = frontend, .verdict_map = true}});
    };
    verdicts("services");
    verdicts("services-external");
    auto indexed = frontend;
    indexed.push_back(kInteger);
    const Typeof index_key[] = {Typeof::kDestinationAddress, Typeof::kProtocol,
                                Typeof::kDestinationPort, Typeof::kRandom};
    const Typeof backend_data[] = {Typeof::kDestinationAddress, Typeof::kDestinationPort};
    for (const char* name : {"endpoints", "endpoints-external"})
      sets_.push_back({name,
                       {.key = indexed,
                        .data = backend,
                        .typeof_userdata = typeof_userdata(family, index_key, backend_data)}});
    for (const char* name : {"checks", "checks-external", "masquerade-frontends", "affinity-learn"})
      verdicts(name);
    const Typeof client_key[] = {Typeof::kSourceAddress, Typeof::kDestinationAddress,
                                 Typeof::kProtocol, Typeof::kDestinationPort};
    std::vector<FieldType> client{address};
    client.insert(client.end(), frontend.begin(), frontend.end());
    sets_.push_back({"affinity",
                     {.flags = NFT_SET_TIMEOUT,
                      .key = client,
                      .data = backend,
                      .size = 65536,
                      .packet_path_fills = true,
                      .typeof_userdata = typeof_userdata(family, client_key, backend_data)}});
    auto both = frontend;
    both.insert(both.end(), backend.begin(), backend.end());
    sets_.push_back({"affinity-backends", {.key = both}});
    auto ranges = frontend;
    ranges.push_back(address);
    sets_.push_back({"source-ranges", {.flags = NFT_SET_INTERVAL, .key = ranges}});
    sets_.push_back({"hairpin", {.key = {address, address}}});
    sets_.push_back({"cluster-ips", {.key = {address}}});
    sets_.push_back({"pod-cidrs", {.flags = NFT_SET_INTERVAL, .key = {address}}});
    sets_.push_back({"service-cidrs", {.flags = NFT_SET_INTERVAL, .key = {address}}});
    chains();
  }

  std::uint8_t family() const { return family_ == IpFamily::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6; }
  const Set& set(const std::string& name) const {
    for (const Named& named : sets_)
      if (named.name == name) return named.set;
    std::abort();
  }

  void write(Batch& batch) const {
    batch.add_table(family(), kTable, 0);
    for (const Named& named : sets_) batch.add_set(family(), kTable, named.name, named.set);
    for (const auto& [name, chain] : chains_) batch.add_chain(family(), kTable, name, chain);
    for (const auto& [name, chain] : chains_)
      for (const Rule& rule : chain.rules) batch.add_rule(family(), kTable, name, rule);
    elements(batch);
  }

  static constexpr const char* kTable = "weft-services";

 private:
  std::string ip(const char* v4, const char* v6) const {
    return family_ == IpFamily::kIpv4 ? v4 : v6;
  }
  static void field(std::string& key, Bytes bytes) {
    key.append(bytes.begin(), bytes.end());
    key.resize((key.size() + 3) & ~std::size_t{3});
  }
  static void address(std::string& key, const std::string& text) {
    field(key, IpAddress::parse(text).value().bytes());
  }
  static void port(std::string& key, std::uint16_t number) { field(key, bytes_of(to_be(number))); }

  void elements(Batch& batch) const {
    const auto add = [&](const char* name, const std::string& key, const std::string& value) {
      batch.add_element({family(), kTable, name, &set(name)}, bytes_of(std::string_view(key)),
                        bytes_of(std::string_view(value)));
    };
    const auto frontend = [&](std::uint8_t protocol, std::uint16_t number) {
      std::string key;
      address(key, ip("10.96.0.10", "fd00:10:96::10"));
      field(key, bytes_of(protocol));
      port(key, number);
      return key;
    };
    const std::int32_t go_to = NFT_GOTO;
    add("services", frontend(17, 53), std::string(reinterpret_cast<const char*>(&go_to), 4) + "n2");
    for (std::uint32_t index : {0U, 1U}) {
      std::string key = frontend(17, 53);
      field(key, bytes_of(index));
      std::string data;
      address(data, ip("10.244.1.", "fd00:10:244:1::") + std::to_string(index + 2));
      port(data, 53);
      add("endpoints", key, data);
    }
    std::string first = frontend(6, 80);
    std::string last = first;
    address(first, ip("192.0.2.0", "2001:db8::"));
    address(last, ip("192.0.2.255", "2001:db8::ffff"));
    add("source-ranges", first, last);
    std::string pair;
    address(pair, ip("10.244.1.2", "fd00:10:244:1::2"));
    address(pair, ip("10.244.1.2", "fd00:10:244:1::2"));
    add("hairpin", pair, {});
    const auto one = [&](const std::string& text) {
      std::string key;
      address(key, text);
      return key;
    };
    add("cluster-ips", one(ip("10.96.0.10", "fd00:10:96::10")), {});
    add("pod-cidrs", one(ip("10.244.0.0", "fd00:10:244::")),
        one(ip("10.244.255.255", "fd00:10:244:ff:ffff:ffff:ffff:ffff")));
    add("service-cidrs", one(ip("10.96.0.0", "fd00:10:96::")),
        one(ip("10.96.255.255", "fd00:10:96::ffff")));
  }

  template <class Fill>
  void rule(const std::string& chain, Fill fill, std::string_view comment = {}) {
    RuleBuilder builder(family_);
    fill(builder);
    find_chain(chain).rules.push_back(builder.rule(comment));
  }
  Chain& find_chain(const std::string& name) {
    for (auto& [other, chain] : chains_)
      if (other == name) return chain;
    return chains_.emplace_back(name, Chain{}).second;
  }
  void base(const std::string& name, const char* type, std::uint32_t hook, std::int32_t priority) {
    find_chain(name).hook = Chain::Hook{.type = type, .hook = hook, .priority = priority};
  }

  void chains();

  IpFamily family_;
  bool with_affinity_;
  std::vector<Named> sets_{};
  std::vector<std::pair<std::string, Chain>> chains_{};
};

void FlatLayout::chains() {
  using R = RuleBuilder;
  constexpr std::uint32_t kDnat = 1U << 5U;  // IPS_DST_NAT
  constexpr std::uint32_t kNew = 8;          // NF_CT_STATE_BIT(IP_CT_NEW)
  const auto sourced = [](R& r) -> R& { return r.frontend().source_address(); };
  rule("reject-it", [](R& r) { r.protocol_is(6).reject_with_reset(); });
  rule("reject-it", [](R& r) { r.reject(); });
  rule("firewall", [&](R& r) { sourced(r).in_set("source-ranges").return_to_caller(); });
  rule("firewall", [](R& r) { r.drop(); });
  rule("firewall-reject", [&](R& r) { sourced(r).in_set("source-ranges").go_to("reject-it"); });
  rule("firewall-reject", [](R& r) { r.drop(); });
  rule("unserved", [](R& r) { r.destination_address().in_set("cluster-ips").go_to("reject-it"); });
  rule("unserved", [](R& r) { r.drop(); });
  rule("masquerade-all", [](R& r) { r.masquerade(); });
  for (const auto& [chain, map] : {std::pair{"n2", "endpoints"}, {"l2", "endpoints-external"}})
    for (const std::uint32_t modulus : {2U, 1U})
      rule(chain, [&, map = map](R& r) { r.frontend().random(modulus).dnat_by_map(map); });
  rule("a2", [](R& r) { r.source_address().frontend().dnat_by_map("affinity"); });
  rule("a2", [](R& r) { r.frontend().random(2).dnat_by_map("endpoints"); });
  rule("a2", [](R& r) { r.frontend().random(1).dnat_by_map("endpoints"); });
  // nft(8) knows the type of `ct original proto-dst` only behind a protocol.
  for (const std::uint8_t protocol : kProtocols) {
    rule("learn",
         [&](R& r) { r.protocol_is(protocol).original_frontend().verdict_map("affinity-learn"); });
    if (!with_affinity_) continue;
    rule("forget", [&](R& r) {
      r.protocol_is(protocol).source_address().original_frontend().data().backend().remove(
          "affinity");
    });
    rule("learn10800", [&](R& r) {
      r.protocol_is(protocol)
          .original_frontend()
          .backend()
          .not_in_set("affinity-backends")
          .go_to("forget");
    });
    rule("learn10800", [&](R& r) {
      r.protocol_is(protocol).source_address().original_frontend().data().backend().update(
          "affinity", seconds(10800));
    });
  }
  rule("forget", [](R& r) { r.drop(); });

  base("pre-check", "filter", NF_INET_PRE_ROUTING, -110);
  rule("pre-check", [](R& r) { r.conntrack_state().not_equals(kNew).accept(); });
  rule("pre-check", [](R& r) {
    r.source_address().not_in_set("pod-cidrs").frontend().verdict_map("checks-external");
  });
  rule("pre-check", [](R& r) { r.frontend().verdict_map("checks"); });
  base("out-check", "filter", NF_INET_LOCAL_OUT, -110);
  rule("out-check", [](R& r) { r.conntrack_state().not_equals(kNew).accept(); });
  rule("out-check", [](R& r) { r.frontend().verdict_map("checks"); });
  base("pre-nat", "nat", NF_INET_PRE_ROUTING, -100);
  rule("pre-nat", [](R& r) {
    r.source_address().not_in_set("pod-cidrs").frontend().verdict_map("services-external");
  });
  rule("pre-nat", [](R& r) { r.frontend().verdict_map("services"); });
  base("out-nat", "nat", NF_INET_LOCAL_OUT, -100);
  rule("out-nat", [](R& r) { r.frontend().verdict_map("services"); });
  for (const auto& [chain, hook] :
       {std::pair{"pre-after", NF_INET_PRE_ROUTING}, {"out-after", NF_INET_LOCAL_OUT}}) {
    base(chain, "filter", static_cast<std::uint32_t>(hook), -90);
    rule(chain, [](R& r) { r.conntrack_state().not_equals(kNew).accept(); });
    rule(chain, [](R& r) { r.conntrack_status().has_all(kDnat).go_to("learn"); });
    rule(chain, [](R& r) { r.destination_address().in_set("service-cidrs").go_to("unserved"); });
  }
  base("post-nat", "nat", NF_INET_POST_ROUTING, 100);
  rule("post-nat", [](R& r) { r.conntrack_status().has_none(kDnat).accept(); });
  rule("post-nat",
       [](R& r) { r.source_address().destination_address().in_set("hairpin").masquerade(); });
  rule(
      "post-nat",
      [](R& r) {
        r.original_destination()
            .in_set("cluster-ips")
            .source_address()
            .not_in_set("pod-cidrs")
            .masquerade();
      },
      "hello world");
  for (const std::uint8_t protocol : kProtocols)
    rule("post-nat", [&](R& r) {
      r.protocol_is(protocol).original_frontend().verdict_map("masquerade-frontends");
    });
}

void load(const FlatLayout& layout) {
  netlink::Socket socket = open_socket();
  Batch batch;
  layout.write(batch);
  const auto result = batch.commit(socket);
  ASSERT_TRUE(result) << result.error().message;
}

// Every rule as "chain: text", every set with its definition, every element: all that is in a
// table.
struct Contents {
  std::vector<RuleRecord> rules{};
  std::vector<SetRecord> sets{};
  std::map<std::string, std::map<std::string, std::string>> elements{};
};

Contents read_contents(std::uint8_t family) {
  netlink::Socket socket = open_socket();
  Contents contents;
  Dump dump(socket);
  const auto finish = [&dump](const Result<>& begun) {
    EXPECT_TRUE(begun) << begun.error().message;
    const Result<> result = dump.finish();
    EXPECT_TRUE(result) << result.error().message;
  };
  finish(dump.rules(family, FlatLayout::kTable,
                    [&](RuleRecord rule) { contents.rules.push_back(std::move(rule)); }));
  finish(dump.sets(family, FlatLayout::kTable,
                   [&](SetRecord set) { contents.sets.push_back(std::move(set)); }));
  for (const SetRecord& record : contents.sets) {
    auto& elements = contents.elements[record.name];
    finish(dump.elements(
        family, FlatLayout::kTable, record.name, record.set, [&](Bytes key, Bytes value) {
          elements[std::string(key.begin(), key.end())] = std::string(value.begin(), value.end());
        }));
  }
  return contents;
}

class FlatLayoutTest : public ::testing::Test {
 protected:
  void SetUp() override { enter_new_namespace(); }
};

TEST_F(FlatLayoutTest, Ipv4IsWhatNftMakesOfItsOwnListing) {
  const FlatLayout layout(IpFamily::kIpv4, false);
  load(layout);
  const auto [listing, listed] = shell("nft list ruleset");
  ASSERT_TRUE(listed) << listing;
  const Contents ours = read_contents(layout.family());

  enter_new_namespace();
  const auto [complaint, loaded] = nft_load(listing);
  ASSERT_TRUE(loaded) << complaint << listing;
  EXPECT_EQ(shell("nft list ruleset").first, listing);
  const Contents theirs = read_contents(layout.family());

  ASSERT_EQ(ours.rules.size(), theirs.rules.size());
  for (std::size_t i = 0; i < ours.rules.size(); ++i) {
    EXPECT_EQ(ours.rules[i].chain, theirs.rules[i].chain);
    // nft turns the byte order of l4proto in keys of ranges, which does nothing to a single byte.
    if (theirs.rules[i].rule.to_string().starts_with("[byteorder]")) continue;
    EXPECT_TRUE(ours.rules[i].rule.matches(theirs.rules[i].rule))
        << ours.rules[i].rule.to_string() << "\n"
        << theirs.rules[i].rule.to_string();
  }
  ASSERT_EQ(ours.sets.size(), theirs.sets.size());
  for (std::size_t i = 0; i < ours.sets.size(); ++i) {
    EXPECT_EQ(ours.sets[i].name, theirs.sets[i].name);
    EXPECT_TRUE(same_definition(ours.sets[i].set, theirs.sets[i].set)) << ours.sets[i].name;
    EXPECT_EQ(ours.sets[i].set.typeof_userdata, theirs.sets[i].set.typeof_userdata)
        << ours.sets[i].name;
  }
  EXPECT_EQ(ours.elements, theirs.elements);
}

TEST_F(FlatLayoutTest, ListsWithAffinity) {
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) load(FlatLayout(family));
  const auto [listing, listed] = shell("nft list ruleset");
  EXPECT_TRUE(listed) << listing;
  for (const char* line :
       {"update @affinity { ip saddr . ct original ip daddr . meta l4proto . ct original proto-dst "
        "timeout 3h : ip daddr . tcp dport }",
        "update @affinity { ip6 saddr . ct original ip6 daddr . meta l4proto . ct original "
        "proto-dst "
        "timeout 3h : ip6 daddr . tcp dport }",
        "typeof ip6 saddr . ip6 daddr . meta l4proto . th dport : ip6 daddr . th dport",
        "fd00:10:96::10 . udp . 53 . 1 : fd00:10:244:1::3 . 53"})
    EXPECT_NE(listing.find(line), std::string::npos) << line << "\n" << listing;
}

}  // namespace
}  // namespace weft::nft

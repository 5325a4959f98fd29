// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "linux/nft/userdata.h"
#include "tables/nft_harness_test.h"

namespace weft::tables {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr IpFamily kFamilies[] = {IpFamily::kIpv4, IpFamily::kIpv6};

// A small table with one object of every type, for either family.
class Sample {
 public:
  explicit Sample(IpFamily family) : family_(family) {
    const nft::FieldType address = nft::address_type(family);
    const std::vector<nft::FieldType> frontend{address, nft::kInetProtocol, nft::kInetService};
    set_table();
    add_set("services", {.key = frontend, .verdict_map = true});
    using nft::Typeof;
    const Typeof index[] = {Typeof::kDestinationAddress, Typeof::kProtocol,
                            Typeof::kDestinationPort, Typeof::kRandom};
    const Typeof backend[] = {Typeof::kDestinationAddress, Typeof::kDestinationPort};
    add_set("endpoints", {.key = {address, nft::kInetProtocol, nft::kInetService, nft::kInteger},
                          .data = {address, nft::kInetService},
                          .typeof_userdata = nft::typeof_userdata(family, index, backend)});
    add_set("hairpin", {.key = {address, address}});
    add_set("ranges", {.flags = NFT_SET_INTERVAL,
                       .key = {address, nft::kInetProtocol, nft::kInetService, address}});
    add_set("pod-cidrs", {.flags = NFT_SET_INTERVAL, .key = {address}});
    add_set("cluster-ips", {.key = {address}, .size = 1024});
    add_set("affinity", {.flags = NFT_SET_TIMEOUT,
                         .key = {address, address, nft::kInetProtocol, nft::kInetService},
                         .data = {address, nft::kInetService},
                         .size = 65536,
                         .packet_path_fills = true});
    add_chains();
    add_elements();
  }

  const NftKind::Table& table() const { return table_; }
  NftKind::Table& table() { return table_; }
  std::string prefix() const {
    return family_ == IpFamily::kIpv4 ? "ip weft-test" : "ip6 weft-test";
  }

  NftKind::Key key(NftType type, const std::string& name) const {
    const std::uint8_t protocol = family_ == IpFamily::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
    return {intern({protocol, type, "weft-test", name}), {}};
  }
  IpAddress address(std::uint64_t n) const {
    return IpAddress::parse(family_ == IpFamily::kIpv4 ? "10.96.0.0" : "fd00:10:96::")
        .value()
        .plus(n);
  }
  void add_set(const std::string& name, NftSet set) {
    table_[key(NftType::kSet, name)] = nft_set(std::move(set));
  }
  NftKind::Key element(const std::string& set, std::initializer_list<Bytes> fields) const {
    NftKind::Key result = key(NftType::kSet, set);
    for (const Bytes field : fields) append_field(result.element, field);
    return result;
  }
  NftKind::Key service(std::uint64_t n, std::uint16_t port,
                       std::uint8_t protocol = IPPROTO_TCP) const {
    const IpAddress ip = address(n);
    return element("services", {ip.bytes(), bytes_of(protocol), bytes_of(to_be(port))});
  }
  NftKind::Key endpoint(std::uint64_t n, std::uint16_t port, std::uint32_t index) const {
    const IpAddress ip = address(n);
    const std::uint8_t protocol = IPPROTO_TCP;
    return element("endpoints",
                   {ip.bytes(), bytes_of(protocol), bytes_of(to_be(port)), bytes_of(index)});
  }
  NftKind::Value backend(std::uint64_t n, std::uint16_t port) const {
    NftBytes data;
    append_field(append_field(data, address(n).bytes()), bytes_of(to_be(port)));
    return nft_data(data);
  }
  void add_range(const std::string& prefix) {
    const Prefix network = Prefix::parse(prefix).value();
    NftKind::Key range = key(NftType::kSet, "pod-cidrs");
    append_field(range.element, network.address.bytes());
    table_[range] = last_key(network);
  }

 private:
  void set_table() { table_[key(NftType::kTable, "")] = {}; }

  template <class Fill>
  nft::Rule rule(Fill fill, std::string_view comment = {}) const {
    nft::RuleBuilder builder(family_);
    fill(builder);
    return builder.rule(comment);
  }

  void add_chains() {
    using R = nft::RuleBuilder;
    table_[key(NftType::kChain, "n2")] =
        nft_chain({.hook = {},
                   .rules = {rule([](R& r) { r.frontend().random(2).dnat_by_map("endpoints"); }),
                             rule([](R& r) { r.frontend().random(1).dnat_by_map("endpoints"); })}});
    table_[key(NftType::kChain, "pre-nat")] = nft_chain(
        {.hook = NftChain::Hook{.type = "nat", .hook = NF_INET_PRE_ROUTING, .priority = -100},
         .rules = {rule([](R& r) { r.source_address().not_in_set("pod-cidrs").counter(); },
                        "off-cluster"),
                   rule([](R& r) { r.frontend().verdict_map("services"); })}});
    table_[key(NftType::kChain, "reject-it")] =
        nft_chain({.hook = {},
                   .rules = {rule([](R& r) { r.protocol_is(IPPROTO_TCP).reject_with_reset(); }),
                             rule([](R& r) { r.reject(); })}});
    table_[key(NftType::kChain, "check")] = nft_chain(
        {.hook = NftChain::Hook{.type = "filter", .hook = NF_INET_LOCAL_OUT, .priority = -110},
         .rules = {rule([](R& r) { r.frontend().source_address().in_set("ranges").accept(); }),
                   rule([](R& r) {
                     r.destination_address().in_set("cluster-ips").go_to("reject-it");
                   })}});
  }

  void add_elements() {
    table_[service(1, 80)] = nft_verdict(NFT_GOTO, "n2");
    table_[service(1, 53, IPPROTO_UDP)] = nft_verdict(NF_DROP);
    table_[endpoint(1, 80, 0)] = backend(1000, 8080);
    table_[endpoint(1, 80, 1)] = backend(1001, 8080);
    const IpAddress one = address(1);
    table_[element("hairpin", {one.bytes(), one.bytes()})] = {};
    table_[element("cluster-ips", {one.bytes()})] = {};
    const std::uint8_t protocol = IPPROTO_TCP;
    const auto range = [&](const IpAddress& last) {
      return element("ranges", {one.bytes(), bytes_of(protocol), bytes_of(to_be(std::uint16_t{80})),
                                last.bytes()});
    };
    table_[range(address(0))] = nft_data(range(address(255)).element);
    table_[range(address(300))] = nft_data(range(address(300)).element);
    add_range(family_ == IpFamily::kIpv4 ? "10.244.0.0/16" : "fd00:10:244::/56");
    add_range(family_ == IpFamily::kIpv4 ? "10.245.0.0/16" : "fd00:10:244:100::/56");  // next to it
    add_range(family_ == IpFamily::kIpv4 ? "240.0.0.0/4" : "ff00::/8");                // to the end
    add_range(family_ == IpFamily::kIpv4 ? "0.0.0.0/8" : "::/8");  // from the start
  }

  IpFamily family_;
  NftKind::Table table_{};
};

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
        {"add table " + p.substr(0, p.find(' ')) + " weft-foreign",
         {"unexpected " + p.substr(0, p.find(' ')) + " weft-foreign"}},
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
  append_field(pods.element, Prefix::parse("10.244.0.0/16").value().address.bytes());
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
    NftChain check = *sample.table()[sample.key(NftType::kChain, "check")].chain;
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
      "elements = { 10.0.0.0/8 }; }; add table bridge weft-bridge; add table netdev weft-dev'");
  const std::string before = shell("nft list ruleset");
  const Sample sample(IpFamily::kIpv4);
  ASSERT_EQ(repair(sample.table()), "");
  ASSERT_EQ(repair({}), "");
  EXPECT_EQ(shell("nft list ruleset"), before);
}

TEST_F(NftDriverTest, AFailingBatchChangesNothingAndSaysWhatItWas) {
  Sample sample(IpFamily::kIpv4);
  ASSERT_EQ(write({}, sample.table()), "");
  const NftKind::Table before = sample.table();
  const std::string listing = shell("nft list ruleset");
  sample.table()[sample.service(7, 80)] = nft_verdict(NFT_GOTO, "nowhere");
  sample.table()[sample.service(8, 80)] = nft_verdict(NF_DROP);
  sample.table()[sample.key(NftType::kChain, "extra")] = nft_chain({});
  const std::string error = write(before, sample.table());
  EXPECT_THAT(error, HasSubstr("ip weft-test services"));
  EXPECT_THAT(error, HasSubstr("NFT_MSG_NEWSETELEM"));
  EXPECT_EQ(shell("nft list ruleset"), listing);
  EXPECT_THAT(drift(before), IsEmpty());
}

TEST_F(NftDriverTest, ATableThatAnotherProcessHoldsIsNamed) {
  FILE* const owner = ::popen("nft -i >/dev/null", "w");
  std::fputs("add table ip6 weft-held { flags owner; }\n", owner);
  std::fflush(owner);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (read().empty() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  const Sample sample(IpFamily::kIpv4);
  EXPECT_THAT(repair(sample.table()),
              AllOf(HasSubstr("table ip6 weft-held is held by another process (flags owner): "),
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

TEST(NftTextTest, DescribesAsAnOperatorWritesIt) {
  const Sample sample(IpFamily::kIpv4);
  const auto definition = [&](const std::string& name) {
    remember_definition(sample.key(NftType::kSet, name).name,
                        sample.table().at(sample.key(NftType::kSet, name)).set);
  };
  definition("services");
  definition("endpoints");
  definition("pod-cidrs");
  const NftKind::Key service = sample.service(10, 53, IPPROTO_UDP);
  EXPECT_EQ(NftKind::describe(service), "ip weft-test map services { 10.96.0.10 . udp . 53 }");
  EXPECT_EQ(NftKind::describe(service, nft_verdict(NFT_GOTO, "n2")), "goto n2");
  EXPECT_EQ(NftKind::describe(sample.endpoint(1, 80, 3)),
            "ip weft-test map endpoints { 10.96.0.1 . tcp . 80 . 3 }");
  EXPECT_EQ(NftKind::describe(sample.endpoint(1, 80, 3), sample.backend(256, 8080)),
            "10.96.1.0 . 8080");
  const NftKind::Key pods =
      sample.element("pod-cidrs", {IpAddress::parse("10.244.0.0").value().bytes()});
  EXPECT_EQ(NftKind::describe(pods, sample.table().at(pods)), "to 10.244.255.255");
  const NftKind::Key chain = sample.key(NftType::kChain, "pre-nat");
  EXPECT_EQ(NftKind::describe(chain), "ip weft-test chain pre-nat");
  EXPECT_EQ(NftKind::describe(chain, sample.table().at(chain)),
            "type nat hook prerouting priority -100; policy accept; ip saddr != @pod-cidrs counter "
            "comment "
            "\"off-cluster\"; ip daddr . meta l4proto . th dport vmap @services");
  EXPECT_EQ(NftKind::describe(sample.key(NftType::kTable, "")), "ip weft-test");
  EXPECT_EQ(NftKind::describe(sample.table().at(sample.key(NftType::kSet, "affinity"))),
            "type ipv4_addr . ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; "
            "flags timeout,dynamic; size 65536");
}

}  // namespace
}  // namespace weft::tables

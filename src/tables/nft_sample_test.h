// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <string>
#include <utility>
#include <vector>

#include "linux/nft/userdata.h"
#include "tables/nft_harness_test.h"

namespace weft::tables {

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
    result.element = nft_fields(fields);
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
    return nft_data(nft_fields({address(n).bytes(), bytes_of(to_be(port))}));
  }
  void add_range(const std::string& prefix) {
    const Prefix network = Prefix::parse(prefix).value();
    NftKind::Key range = key(NftType::kSet, "pod-cidrs");
    range.element = nft_fields({network.address.bytes()});
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

}  // namespace weft::tables

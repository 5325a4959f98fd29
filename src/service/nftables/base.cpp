// SPDX-License-Identifier: Apache-2.0
#include "service/nftables/base.h"

#include <linux/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include <string>

#include "linux/nft/userdata.h"
#include "service/nftables/elements.h"
#include "service/nftables/names.h"
#include "tables/names.h"

namespace weft::service::nftables {
namespace {

using nft::RuleBuilder;
using tables::NftChain;
using tables::NftKind;
using tables::NftSet;
using tables::NftType;

constexpr std::uint32_t kStateNew = 8;  // NF_CT_STATE_BIT(IP_CT_NEW)

class TablePlan {
 public:
  TablePlan(IpFamily family, tables::TableChanges& out) : family_(family), out_(out) {}

  void table() { set(NftType::kTable, "", {}); }

  void map_or_set(std::string_view name, NftSet definition) {
    set(NftType::kSet, name, tables::nft_set(std::move(definition)));
  }

  // A set of prefixes with its elements.
  void prefixes(std::string_view name, const std::vector<Prefix>& all) {
    map_or_set(name, {.flags = NFT_SET_INTERVAL, .key = {nft::address_type(family_)}});
    for (const Prefix& prefix : all)
      if (prefix.family() == family_)
        out_.set<NftKind>(
            {intern(family_, NftType::kSet, name), address_key(prefix.network().address)},
            tables::last_key(prefix));
  }

  void chain(std::string_view name, std::vector<nft::Rule> rules) {
    set(NftType::kChain, name, tables::nft_chain({.hook = {}, .rules = std::move(rules)}));
  }

  void base_chain(std::string_view name, std::string type, std::uint32_t hook,
                  std::int32_t priority, std::vector<nft::Rule> rules) {
    NftChain made{
        .hook = NftChain::Hook{.type = std::move(type), .hook = hook, .priority = priority},
        .rules = std::move(rules)};
    set(NftType::kChain, name, tables::nft_chain(std::move(made)));
  }

 private:
  void set(NftType type, std::string_view name, NftKind::Value value) {
    out_.set<NftKind>({intern(family_, type, name), {}}, std::move(value));
  }

  IpFamily family_;
  tables::TableChanges& out_;
};

void plan_sets(const ServiceContext& context, IpFamily family, TablePlan& plan) {
  using enum nft::Typeof;
  const nft::FieldType address = nft::address_type(family);
  const std::vector<nft::FieldType> frontend{address, nft::kInetProtocol, nft::kInetService};
  for (const std::string_view name : {kServices, kChecks, kMasqueradeFrontends})
    plan.map_or_set(name, {.key = frontend, .verdict_map = true});

  const nft::Typeof key[] = {kDestinationAddress, kProtocol, kDestinationPort, kRandom};
  const nft::Typeof data[] = {kDestinationAddress, kDestinationPort};
  plan.map_or_set(kEndpoints,
                  {.key = {address, nft::kInetProtocol, nft::kInetService, nft::kInteger},
                   .data = {address, nft::kInetService},
                   .typeof_userdata = nft::typeof_userdata(family, key, data)});
  plan.map_or_set(kHairpin, {.key = {address, address}});
  plan.map_or_set(kClusterIps, {.key = {address}});
  plan.prefixes(kPodCidrs, context.pod_cidrs);
  plan.prefixes(kServiceCidrs, context.service_cidrs);
}

nft::Rule only_new(IpFamily family) {
  return RuleBuilder(family).conntrack_state().not_equals(kStateNew).accept().rule();
}

std::vector<nft::Rule> check_rules(IpFamily family) {
  return {only_new(family), RuleBuilder(family).frontend().verdict_map(kChecks).rule()};
}

nft::Rule translation(IpFamily family, std::size_t backends) {
  return RuleBuilder(family)
      .frontend()
      .random(static_cast<std::uint32_t>(backends))
      .dnat_by_map(kEndpoints)
      .rule();
}

// The second rule is for a packet that straddles a commit. It keeps to the rules of its beginning,
// and yet every lookup reads the newest elements: so it may come to a chain n<N> that to it is
// still empty, or look up an index that has gone. It returns here, and index 0 serves it.
std::vector<nft::Rule> translation_rules(IpFamily family) {
  return {RuleBuilder(family).frontend().verdict_map(kServices).rule(), translation(family, 1)};
}

// What is addressed to a Service and was not translated has no such port, or no such Service.
std::vector<nft::Rule> after_rules(IpFamily family) {
  return {only_new(family),
          RuleBuilder(family).conntrack_status().has_all(IPS_DST_NAT).accept().rule(),
          RuleBuilder(family).destination_address().in_set(kClusterIps).go_to(kRejectIt).rule(),
          RuleBuilder(family).destination_address().in_set(kServiceCidrs).drop().rule()};
}

std::vector<nft::Rule> postrouting_rules(IpFamily family) {
  std::vector<nft::Rule> rules{
      RuleBuilder(family).conntrack_status().has_none(IPS_DST_NAT).accept().rule(),
      RuleBuilder(family)
          .source_address()
          .destination_address()
          .in_set(kHairpin)
          .masquerade()
          .rule(),
      RuleBuilder(family)
          .original_destination()
          .in_set(kClusterIps)
          .source_address()
          .not_in_set(kPodCidrs)
          .masquerade()
          .rule()};
  // nft(8) can type `ct original proto-dst` only behind a protocol.
  for (const std::uint8_t protocol : {std::uint8_t{IPPROTO_TCP}, std::uint8_t{IPPROTO_UDP}})
    rules.push_back(RuleBuilder(family)
                        .protocol_is(protocol)
                        .original_frontend()
                        .verdict_map(kMasqueradeFrontends)
                        .rule());
  return rules;
}

void plan_chains(IpFamily family, TablePlan& plan) {
  // ICMP alone keeps an IPv6 TCP client waiting for a second.
  plan.chain(kRejectIt, {RuleBuilder(family).protocol_is(IPPROTO_TCP).reject_with_reset().rule(),
                         RuleBuilder(family).reject().rule()});
  plan.chain(kMasqueradeAll, {RuleBuilder(family).masquerade().rule()});

  plan.base_chain(kPreCheck, "filter", NF_INET_PRE_ROUTING, kCheckPriority, check_rules(family));
  plan.base_chain(kOutCheck, "filter", NF_INET_LOCAL_OUT, kCheckPriority, check_rules(family));
  plan.base_chain(kPreNat, "nat", NF_INET_PRE_ROUTING, kDestinationNatPriority,
                  translation_rules(family));
  plan.base_chain(kOutNat, "nat", NF_INET_LOCAL_OUT, kDestinationNatPriority,
                  translation_rules(family));
  plan.base_chain(kPreAfter, "filter", NF_INET_PRE_ROUTING, kAfterPriority, after_rules(family));
  plan.base_chain(kOutAfter, "filter", NF_INET_LOCAL_OUT, kAfterPriority, after_rules(family));
  plan.base_chain(kPostNat, "nat", NF_INET_POST_ROUTING, kSourceNatPriority,
                  postrouting_rules(family));
}

}  // namespace

const tables::NftName* intern(IpFamily family, NftType type, std::string_view name) {
  return tables::intern(
      {protocol_family(family), type, std::string(tables::kServicesTable), std::string(name)});
}

void plan_table(const ServiceContext& context, IpFamily family, tables::TableChanges& out) {
  TablePlan plan(family, out);
  plan.table();
  plan_sets(context, family, plan);
  plan_chains(family, plan);
}

tables::NftKind::Value balancing(IpFamily family, std::size_t backends) {
  return tables::nft_chain({.hook = {}, .rules = {translation(family, backends)}});
}

}  // namespace weft::service::nftables

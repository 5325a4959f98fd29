// SPDX-License-Identifier: Apache-2.0
#include "podnet/masquerade.h"

#include <linux/netfilter.h>

#include <array>
#include <memory>

#include "tables/names.h"

namespace weft::podnet {

namespace {

using tables::NftChain;
using tables::NftKind;
using tables::NftName;
using tables::NftType;

constexpr std::int32_t kSourceNatPriority = 100;  // NF_IP_PRI_NAT_SRC

Prefix multicast(IpFamily family) {
  return Prefix::parse(family == IpFamily::kIpv4 ? "224.0.0.0/4" : "ff00::/8").value();
}

nft::Rule masquerade_rule(const Prefix& pod_cidr, const std::vector<Prefix>& cluster_cidrs) {
  nft::RuleBuilder rule(pod_cidr.family());
  rule.source_address().in_prefix(pod_cidr.network());
  for (const Prefix& cluster_cidr : cluster_cidrs)
    if (cluster_cidr.family() == pod_cidr.family())
      rule.destination_address().not_in_prefix(cluster_cidr.network());
  rule.destination_address().not_in_prefix(multicast(pod_cidr.family()));
  return rule.masquerade().rule("pods to outside the cluster");
}

}  // namespace

void plan_masquerade(const std::vector<Prefix>& pod_cidrs, const std::vector<Prefix>& cluster_cidrs,
                     tables::TableChanges& out) {
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    NftChain chain;
    chain.hook = {.type = "nat", .hook = NF_INET_POST_ROUTING, .priority = kSourceNatPriority};
    for (const Prefix& pod_cidr : pod_cidrs)
      if (pod_cidr.family() == family)
        chain.rules.push_back(masquerade_rule(pod_cidr, cluster_cidrs));
    if (chain.rules.empty()) continue;

    const std::uint8_t protocol = family == IpFamily::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
    const std::string table(tables::kPodnetTable);
    out.set<NftKind>({tables::intern({protocol, NftType::kTable, table, ""})}, {});
    out.set<NftKind>({tables::intern({protocol, NftType::kChain, table, "postrouting"})},
                     tables::nft_chain(std::move(chain)));
  }
}

}  // namespace weft::podnet

// SPDX-License-Identifier: Apache-2.0
// Every name that the nftables back end gives to a kernel object. The table is
// tables::kServicesTable, once for ip and once for ip6; README.md says what each object is for.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft::service::nftables {

// Maps and sets.
inline constexpr std::string_view kServices = "services";
inline constexpr std::string_view kEndpoints = "endpoints";
inline constexpr std::string_view kChecks = "checks";
inline constexpr std::string_view kMasqueradeFrontends = "masquerade-frontends";
inline constexpr std::string_view kHairpin = "hairpin";
inline constexpr std::string_view kClusterIps = "cluster-ips";
inline constexpr std::string_view kPodCidrs = "pod-cidrs";
inline constexpr std::string_view kServiceCidrs = "service-cidrs";

// Base chains: where in the packet's way ("pre" prerouting, "out" output, "post" postrouting), what
// for.
inline constexpr std::string_view kPreCheck = "pre-check";
inline constexpr std::string_view kOutCheck = "out-check";
inline constexpr std::string_view kPreNat = "pre-nat";
inline constexpr std::string_view kOutNat = "out-nat";
inline constexpr std::string_view kPreAfter = "pre-after";
inline constexpr std::string_view kOutAfter = "out-after";
inline constexpr std::string_view kPostNat = "post-nat";

inline constexpr std::int32_t kCheckPriority = -110;
inline constexpr std::int32_t kDestinationNatPriority = -100;  // NF_IP_PRI_NAT_DST
inline constexpr std::int32_t kAfterPriority = -90;
inline constexpr std::int32_t kSourceNatPriority = 100;  // NF_IP_PRI_NAT_SRC

// Chains that are gone to. Of the balancing ones there is one a number of backends: n1, n2, …
inline constexpr std::string_view kRejectIt = "reject-it";
inline constexpr std::string_view kMasqueradeAll = "masquerade-all";
inline constexpr std::string_view kBalancePrefix = "n";

}  // namespace weft::service::nftables

// SPDX-License-Identifier: Apache-2.0
// Every name and number by which a kernel object is recognised as ours, in one place.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft::tables {

inline constexpr std::string_view kBridge = "cni0";
inline constexpr std::string_view kVxlan = "weft.1";
inline constexpr std::uint32_t kVxlanVni = 1;
inline constexpr std::uint16_t kVxlanPort = 8472;

inline constexpr std::uint8_t kRouteProtocol = 87;
inline constexpr std::uint32_t kPodLinkGroup = 87;  // of the pods' host-side veths on kBridge

inline constexpr std::string_view kServicesTable = "weft-services";
inline constexpr std::string_view kPodnetTable = "weft-podnet";

inline constexpr std::string_view kCniConfigurationFile = "10-weft.conflist";

}  // namespace weft::tables

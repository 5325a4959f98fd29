// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/pod_route.h"

#include <linux/rtnetlink.h>

#include <cstdint>
#include <string_view>

#include "linux/netlink/route.h"

namespace weft::cni {
namespace {

// What the kernel makes of anything higher (net/ipv4/metrics.c).
constexpr std::uint32_t kMostMtu = 65535 - 15;
constexpr std::uint32_t kMostAdvmss = 65535 - 40;
// What every link must carry: RFC 791, RFC 8200 §5.
constexpr std::uint32_t kLeastMtuIpv4 = 68;
constexpr std::uint32_t kLeastMtuIpv6 = 1280;

CniFailure bad(const Route& route, std::string_view key, std::uint32_t value,
               std::string_view why) {
  return fail(ErrorCode::kInvalidConfig, "route " + route.destination.to_string() + ": " +
                                             std::string(key) + ": " + std::to_string(value) + " " +
                                             std::string(why));
}

Outcome<> check_range(const Route& route, std::string_view key, std::optional<std::uint32_t> value,
                      std::uint32_t least, std::uint32_t most) {
  if (!value || *value == 0 || (*value >= least && *value <= most)) return {};
  return bad(route, key, *value,
             "is not within " + std::to_string(least) + " and " + std::to_string(most));
}

bool is_near(const Route& route) { return route.scope.value_or(RT_SCOPE_UNIVERSE) != 0; }

Outcome<> check_scope(const Route& route) {
  const std::uint32_t scope = route.scope.value_or(RT_SCOPE_UNIVERSE);
  if (scope != RT_SCOPE_UNIVERSE && scope != RT_SCOPE_LINK && scope != RT_SCOPE_HOST)
    return bad(route, "scope", scope, "is not 0 (global), 253 (link) or 254 (host)");
  if (is_near(route) && route.gateway && route.destination.family() == IpFamily::kIpv4)
    return bad(route, "scope", scope, "is not that of a route through a gateway");
  return {};
}

std::optional<std::uint32_t> unless_zero(std::optional<std::uint32_t> value) {
  return value == 0U ? std::nullopt : value;
}

std::uint32_t metric_of(const Route& route) {
  const std::uint32_t metric = route.priority.value_or(0);
  const bool v6 = route.destination.family() == IpFamily::kIpv6;
  return v6 && metric == netlink::kIpv6DefaultMetric ? 0 : metric;
}

}  // namespace

Outcome<std::pair<tables::RouteKind::Key, tables::RouteKind::Value>> pod_route(
    const Route& route, const std::string& ifname, const std::optional<IpAddress>& family_gateway) {
  const bool v6 = route.destination.family() == IpFamily::kIpv6;
  CNI_TRY(check_range(route, "mtu", route.mtu, v6 ? kLeastMtuIpv6 : kLeastMtuIpv4, kMostMtu));
  CNI_TRY(check_range(route, "advmss", route.advmss, 1, kMostAdvmss));
  CNI_TRY(check_scope(route));
  tables::RouteKind::Value value{.link = ifname,
                                 .gateway = route.gateway,
                                 .mtu = unless_zero(route.mtu),
                                 .advmss = unless_zero(route.advmss)};
  if (!value.gateway && !is_near(route)) value.gateway = family_gateway;
  if (route.scope && !v6) value.scope = static_cast<std::uint8_t>(*route.scope);
  const std::uint32_t table = unless_zero(route.table).value_or(RT_TABLE_MAIN);
  return std::pair(tables::RouteKind::Key{route.destination, metric_of(route), table},
                   std::move(value));
}

}  // namespace weft::cni

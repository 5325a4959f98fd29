// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/link_types.h"

#include <tuple>
#include <type_traits>

namespace weft::netlink {

namespace {

// What makes a link of the type the one it is.
auto identity(const Bridge&) { return std::tuple(); }
auto identity(const Vxlan& vxlan) { return std::tie(vxlan.vni, vxlan.port, vxlan.local); }
auto identity(const Veth&) { return std::tuple(); }

// What changes in place.
auto settings(const Bridge& bridge) { return std::tie(bridge.stp); }
auto settings(const Vxlan& vxlan) { return std::tie(vxlan.ttl); }
auto settings(const Veth&) { return std::tuple(); }

std::string text(const Bridge& bridge) { return bridge.stp ? " stp on" : ""; }
std::string text(const Vxlan& vxlan) {
  const std::string ttl = vxlan.ttl == 0 ? "" : " ttl " + std::to_string(vxlan.ttl);
  return " id " + std::to_string(vxlan.vni) + " local " + vxlan.local.to_string() + " dstport " +
         std::to_string(vxlan.port) + ttl;
}
std::string text(const Veth& veth) {
  return veth.peer.name.empty() ? "" : " peer " + veth.peer.name;
}

// Whether `compare(a, b)` holds of two links of one type; never of two types.
template <class Compare>
bool of_one_type(const LinkType& one, const LinkType& other, Compare compare) {
  return std::visit(
      [&](const auto& a) {
        using Type = std::decay_t<decltype(a)>;
        if constexpr (std::is_same_v<Type, std::monostate>)
          return true;
        else if (const auto* b = std::get_if<Type>(&other))
          return compare(a, *b);
        else
          return false;
      },
      one);
}

}  // namespace

std::string to_string(const LinkType& type) {
  return std::visit(
      [](const auto& known) -> std::string {
        if constexpr (std::is_same_v<decltype(known), const std::monostate&>)
          return "";
        else
          return std::string(known.kKind) + text(known);
      },
      type);
}

bool changes_in_place(const LinkType& desired, const LinkType& actual) {
  return of_one_type(desired, actual,
                     [](const auto& a, const auto& b) { return identity(a) == identity(b); });
}

bool same(const LinkType& desired, const LinkType& actual) {
  return of_one_type(desired, actual, [](const auto& a, const auto& b) {
    return identity(a) == identity(b) && settings(a) == settings(b);
  });
}

bool is_pair(const LinkType& type) {
  return std::visit(
      [](const auto& known) {
        return requires { known.peer; };
      },
      type);
}

std::optional<std::uint16_t> udp_port(const LinkType& type) {
  if (const auto* vxlan = std::get_if<Vxlan>(&type)) return vxlan->port;
  return std::nullopt;
}

std::string clash(const LinkType& one, const LinkType& other) {
  const auto* a = std::get_if<Vxlan>(&one);
  const auto* b = std::get_if<Vxlan>(&other);
  if (a == nullptr || b == nullptr || a->vni != b->vni || a->port != b->port ||
      a->local.family() != b->local.family())
    return "";
  return "VNI " + std::to_string(a->vni) + ", port " + std::to_string(a->port);
}

}  // namespace weft::netlink

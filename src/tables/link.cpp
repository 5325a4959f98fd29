// SPDX-License-Identifier: Apache-2.0
#include "tables/link.h"

#include <algorithm>

namespace weft::tables {

namespace {

template <class T>
bool same_where_set(const std::optional<T>& desired, const std::optional<T>& actual) {
  return !desired || desired == actual;
}

std::string describe_type(std::monostate) { return ""; }
std::string describe_type(const Bridge& bridge) {
  return bridge.stp ? "bridge stp on " : "bridge ";
}
std::string describe_type(const Vxlan& vxlan) {
  std::string text = "vxlan id " + std::to_string(vxlan.vni) + " local " + vxlan.local.to_string();
  if (!vxlan.device.empty()) text += " dev " + vxlan.device;
  text += " dstport " + std::to_string(vxlan.port) + " ";
  return vxlan.ttl == 0 ? text : text + "ttl " + std::to_string(vxlan.ttl) + " ";
}
std::string describe_type(const Veth& veth) {
  if (veth.peer_name.empty()) return "veth ";
  std::string text = "veth peer " + veth.peer_name + " ";
  if (!veth.peer_netns.empty()) text += "netns " + veth.peer_netns + " ";
  return text;
}

// A node has up to hundreds: the first few are named.
std::string describe_ports(const std::vector<std::string>& ports) {
  constexpr std::size_t kNamed = 3;
  std::string text = ports.size() == 1 ? "port" : "ports";
  for (std::size_t i = 0; i < std::min(ports.size(), kNamed); ++i)
    text += (i == 0 ? " " : ", ") + ports[i];
  if (ports.size() > kNamed) text += " and " + std::to_string(ports.size() - kNamed) + " more";
  return text;
}

}  // namespace

bool LinkKind::same_type(const Value& desired, const Value& actual) {
  if (std::holds_alternative<std::monostate>(desired.type)) return true;
  if (std::holds_alternative<Veth>(desired.type)) return std::holds_alternative<Veth>(actual.type);
  return desired.type == actual.type;
}

bool LinkKind::same(const Value& desired, const Value& actual) {
  return same_type(desired, actual) && desired.up == actual.up &&
         same_where_set(desired.mtu, actual.mtu) && same_where_set(desired.mac, actual.mac) &&
         same_where_set(desired.master, actual.master) &&
         same_where_set(desired.group, actual.group) &&
         same_where_set(desired.hairpin, actual.hairpin) &&
         desired.missing_ports == actual.missing_ports;
}

std::string LinkKind::describe(const Key& key) { return key; }

std::string LinkKind::describe(const Value& value) {
  std::string text = std::visit([](const auto& type) { return describe_type(type); }, value.type);
  text += value.up ? "up" : "down";
  if (value.mtu) text += " mtu " + std::to_string(*value.mtu);
  if (value.mac) text += " address " + value.mac->to_string();
  if (value.master && !value.master->empty()) text += " master " + *value.master;
  if (value.group && *value.group != 0) text += " group " + std::to_string(*value.group);
  if (value.hairpin) text += *value.hairpin ? " hairpin on" : " hairpin off";
  if (!value.missing_ports.empty()) text += " without " + describe_ports(value.missing_ports);
  return text;
}

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "tables/kinds.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/hash.h"

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

// Values with several fields come back with tabs between them.
std::vector<std::string> fields(const std::string& value) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string> words;
  for (std::size_t end = 0;;) {
    const std::size_t start = value.find_first_not_of(kSpace, end);
    if (start == std::string::npos) return words;
    end = std::min(value.find_first_of(kSpace, start), value.size());
    words.push_back(value.substr(start, end - start));
  }
}

// Tells two contents of one size apart.
std::string fingerprint(std::string_view content) {
  const std::uint64_t hash = hash_of(content);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[hash >> shift & 15];
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

bool AddressKind::same(const Value&, const Value&) { return true; }

std::string AddressKind::describe(const Key& key) {
  return key.prefix.to_string() + " dev " + key.link;
}

std::string AddressKind::describe(const Value&) { return "present"; }

bool NeighborKind::same(const Value& desired, const Value& actual) { return desired == actual; }

std::string NeighborKind::describe(const Key& key) {
  return key.address.to_string() + " dev " + key.link;
}

std::string NeighborKind::describe(const Value& value) {
  return "lladdr " + value.mac.to_string() + " permanent";
}

bool FdbKind::same(const Value& desired, const Value& actual) { return desired == actual; }

std::string FdbKind::describe(const Key& key) { return key.mac.to_string() + " dev " + key.link; }

std::string FdbKind::describe(const Value& value) { return "dst " + value.remote.to_string(); }

bool RouteKind::same(const Value& desired, const Value& actual) { return desired == actual; }

std::string RouteKind::describe(const Key& key) {
  std::string text = key.destination.to_string();
  if (key.metric != 0) text += " metric " + std::to_string(key.metric);
  return text;
}

std::string RouteKind::describe(const Value& value) {
  if (value.link.empty()) return "several next hops";
  std::string text;
  if (value.gateway) text += "via " + value.gateway->to_string() + " ";
  text += "dev " + value.link;
  if (value.source) text += " src " + value.source->to_string();
  if (value.onlink) text += " onlink";
  return text;
}

bool SysctlKind::same(const Value& desired, const Value& actual) {
  return desired == actual || fields(desired) == fields(actual);
}

std::string SysctlKind::describe(const std::string& key_or_value) { return key_or_value; }

bool FileKind::same(const Value& desired, const Value& actual) { return desired == actual; }

std::string FileKind::describe(const std::string& path_or_content) {
  const bool path =
      path_or_content.starts_with('/') && path_or_content.find('\n') == std::string::npos;
  if (path) return path_or_content;
  return std::to_string(path_or_content.size()) + " bytes (" + fingerprint(path_or_content) + ")";
}

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "lab/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::lab {
namespace {

constexpr std::size_t kLongestName = 40;
constexpr std::size_t kPodIdLength = 8;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

bool is_dns_label(std::string_view text) {
  const auto inner = [](char c) { return is_digit(c) || is_lower(c) || c == '-'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), inner) && text.front() != '-' &&
         text.back() != '-';
}

// "node12" → the rest behind it; nothing was taken when `text` does not begin with a node's name.
bool take_node(std::string_view& text) {
  constexpr std::string_view kNode = "node";
  if (!text.starts_with(kNode)) return false;
  std::string_view rest = text.substr(kNode.size());
  const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  text = rest.substr(digits);
  return digits > 0;
}

}  // namespace

Result<LabNames> LabNames::for_lab(std::string_view lab) {
  if (!is_dns_label(lab) || lab.size() > kLongestName) {
    return fail(
        fmt::format("lab name \"{}\": must be lower-case letters, digits and '-', "
                    "and at most {} characters",
                    lab, kLongestName));
  }
  return LabNames(lab);
}

std::string LabNames::directory() const { return fmt::format("{}/{}", kLabsDirectory, lab_); }
std::string LabNames::lock_file() const { return fmt::format("{}/.{}.lock", kLabsDirectory, lab_); }
std::string LabNames::settings_file() const { return directory() + "/lab.json"; }
std::string LabNames::manifests_directory() const { return directory() + "/manifests"; }
std::string LabNames::objects_directory() const { return directory() + "/objects"; }

std::string LabNames::node_directory(std::string_view node) const {
  return fmt::format("{}/nodes/{}", directory(), node);
}
std::string LabNames::agent_config(std::string_view node) const {
  return node_directory(node) + "/agent.yaml";
}
std::string LabNames::agent_socket(std::string_view node) const {
  return node_directory(node) + "/agent.sock";
}
std::string LabNames::agent_log(std::string_view node) const {
  return node_directory(node) + "/agent.log";
}
std::string LabNames::agent_pid_file(std::string_view node) const {
  return node_directory(node) + "/agent.pid";
}
std::string LabNames::agent_state_directory(std::string_view node) const {
  return node_directory(node) + "/state";
}
std::string LabNames::cni_configuration_directory(std::string_view node) const {
  return node_directory(node) + "/cni/net.d";
}
std::string LabNames::cni_data_directory(std::string_view node) const {
  return node_directory(node) + "/cni/networks";
}
std::string LabNames::cni_cache_directory(std::string_view node) const {
  return node_directory(node) + "/cni/cache";
}

std::string LabNames::pods_directory() const { return directory() + "/pods"; }
std::string LabNames::pod_record(std::string_view id) const {
  return fmt::format("{}/{}.json", pods_directory(), id);
}
std::string LabNames::pod_state(std::string_view id) const {
  return fmt::format("{}/{}.state.json", pods_directory(), id);
}
std::string LabNames::pod_log(std::string_view name_space, std::string_view pod) const {
  return name_space == "default" ? fmt::format("{}/{}.log", pods_directory(), pod)
                                 : fmt::format("{}/{}_{}.log", pods_directory(), name_space, pod);
}
bool LabNames::is_pod_log(std::string_view file, std::string_view name_space) {
  const std::size_t separator = file.find('_');  // which no name has in it
  const auto of = separator == file.npos ? "default" : file.substr(0, separator);
  return file.ends_with(".log") && of == name_space;
}

std::string LabNames::fabric_netns() const { return fmt::format("weft-{}-fabric", lab_); }
std::string LabNames::node_netns(std::string_view node) const {
  return fmt::format("weft-{}-{}", lab_, node);
}
std::string LabNames::pod_netns(std::string_view node, std::string_view id) const {
  return fmt::format("weft-{}-{}-{}", lab_, node, id);
}

bool LabNames::owns_netns(std::string_view netns) const {
  const std::string prefix = fmt::format("weft-{}-", lab_);
  if (!netns.starts_with(prefix)) return false;
  std::string_view rest = netns.substr(prefix.size());
  if (rest == "fabric") return true;
  if (!take_node(rest)) return false;
  if (rest.empty()) return true;
  return rest.size() == 1 + kPodIdLength && rest[0] == '-' &&
         std::all_of(rest.begin() + 1, rest.end(), is_hex);
}

std::string LabNames::cgroup(std::string_view mount) const {
  return fmt::format("{}/weft-{}", mount, lab_);
}
std::string LabNames::agent_cgroup(std::string_view mount, std::string_view node) const {
  return fmt::format("{}/{}/agent", cgroup(mount), node);
}
std::string LabNames::pod_cgroup(std::string_view mount, std::string_view node,
                                 std::string_view id) const {
  return fmt::format("{}/{}/{}", cgroup(mount), node, id);
}

std::string node_name(int number) { return fmt::format("node{}", number); }

}  // namespace weft::lab

// SPDX-License-Identifier: Apache-2.0
#include "agent/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace weft::agent {
namespace {

using nlohmann::ordered_json;

std::string joined(const ordered_json& list) {
  std::string out;
  for (const ordered_json& member : list) {
    if (!out.empty()) out += ", ";
    out += member.get<std::string>();
  }
  return out.empty() ? "none" : out;
}

std::string duration_text(std::uint64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
  return fmt::format("{}h {}m", seconds / 3600, seconds / 60 % 60);
}

void append_line(std::string& text, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(text), "{:<14}{}\n", name, value);
}

// While it is being uninstalled nothing is planned, and nothing is waited for.
std::string uninstalling_text(const ordered_json& status) {
  if (status.at("settled").get<bool>())
    return "uninstalling; nothing is left, and `weft uninstall` ends the agent";
  if (status.at("left").empty()) return "uninstalling";
  return "uninstalling; what is left could not be removed; trying again";
}

std::string state_text(const ordered_json& status) {
  if (status.at("uninstalling").get<bool>()) return uninstalling_text(status);
  if (const auto waiting = status.at("waitingFor").get<std::string>(); !waiting.empty())
    return "waiting for " + waiting;
  if (!status.at("failing").empty()) return "failing; trying again";
  return status.at("settled").get<bool>() ? "settled" : "not settled";
}

// What stands of the plan.
void append_plan(std::string& text, const ordered_json& status) {
  const auto number = [&](const char* name) { return status.at(name).get<std::uint64_t>(); };
  append_line(text, "Pod CIDRs", joined(status.at("podCIDRs")));
  const ordered_json& underlay = status.at("underlay");
  append_line(text, "Transport", status.at("transport").get<std::string>());
  if (!underlay.is_null())
    append_line(text, "Underlay",
                fmt::format("{} {} mtu {}", underlay.at("link").get<std::string>(),
                            underlay.at("address").get<std::string>(),
                            underlay.at("mtu").get<std::uint32_t>()));
  append_line(text, "Pod MTU", std::to_string(number("podMTU")));
  append_line(text, "Peers", std::to_string(number("peers")));
  const ordered_json& services = status.at("services");
  append_line(
      text, "Services",
      fmt::format("{} ({} frontends, {} backends) by {}", services.at("count").get<std::uint64_t>(),
                  services.at("frontends").get<std::uint64_t>(),
                  services.at("backends").get<std::uint64_t>(),
                  services.at("backend").get<std::string>()));
}

// Throws nlohmann's exceptions on a field that is not there or mistyped.
std::string render(const ordered_json& status) {
  std::string text;
  const auto number = [&](const char* name) { return status.at(name).get<std::uint64_t>(); };
  append_line(text, "Node", status.at("node").get<std::string>());
  append_line(text, "State", state_text(status));
  if (!status.at("uninstalling").get<bool>()) append_plan(text, status);
  for (const ordered_json& left : status.at("left"))
    append_line(text, "Left", left.get<std::string>());
  append_line(text, "Drift", fmt::format("{} found", number("driftFound")));
  for (const ordered_json& problem : status.at("problems"))
    append_line(text, "Problem", problem.get<std::string>());
  for (const ordered_json& error : status.at("failing"))
    append_line(text, "Failing", error.get<std::string>());
  if (number("failures") > 0) append_line(text, "Failures", std::to_string(number("failures")));
  append_line(
      text, "Agent",
      fmt::format("pid {}, up {}, {:.1f} MB", number("pid"), duration_text(number("uptimeSeconds")),
                  static_cast<double>(number("memoryBytes")) / 1e6));
  return text;
}

}  // namespace

std::vector<std::string> left_texts(const std::vector<reconcile::Drift>& left) {
  std::vector<std::string> texts;
  for (auto first = left.begin(); first != left.end();) {
    const auto next = std::find_if(first, left.end(), [&](const reconcile::Drift& other) {
      return other.kind != first->kind;
    });
    const auto more = next - first - 1;
    const auto shortest = std::min_element(first, next, [](const auto& one, const auto& other) {
      return one.key.size() < other.key.size();
    });
    texts.push_back(fmt::format("{}: {}{}", first->kind, shortest->key,
                                more == 0 ? "" : fmt::format(" and {} more", more)));
    first = next;
  }
  return texts;
}

std::string to_json(const Status& status) {
  ordered_json cidrs = ordered_json::array();
  for (const Prefix& cidr : status.pod_cidrs) cidrs.push_back(cidr.to_string());
  ordered_json underlay;
  if (status.underlay_address)
    underlay = {{"link", status.underlay_link},
                {"address", status.underlay_address->to_string()},
                {"mtu", status.underlay_mtu}};
  const ordered_json out{{"node", status.node},
                         {"waitingFor", status.waiting_for},
                         {"settled", status.settled},
                         {"uninstalling", status.uninstalling},
                         {"left", status.left},
                         {"podCIDRs", cidrs},
                         {"transport", status.transport},
                         {"underlay", underlay},
                         {"podMTU", status.pod_mtu},
                         {"peers", status.peers},
                         {"services",
                          {{"backend", status.services_backend},
                           {"count", status.services},
                           {"frontends", status.frontends},
                           {"backends", status.backends}}},
                         {"problems", status.problems},
                         {"failing", status.failing},
                         {"failures", status.failures},
                         {"driftFound", status.drift_found},
                         {"uptimeSeconds", status.uptime.count()},
                         {"pid", status.pid},
                         {"memoryBytes", status.memory_bytes}};
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Result<std::string> status_text(std::string_view json) {
  try {
    return render(ordered_json::parse(json));
  } catch (const nlohmann::json::exception& error) {
    return fail(fmt::format("the agent's status cannot be read: {}", error.what()));
  }
}

std::uint64_t resident_memory() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (!(file >> total >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace weft::agent

// SPDX-License-Identifier: Apache-2.0
#include "agent/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <type_traits>

namespace weft::agent {
namespace {

using nlohmann::ordered_json;

std::string duration_text(std::uint64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
  return fmt::format("{}h {}m", seconds / 3600, seconds / 60 % 60);
}

void append_line(std::string& text, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(text), "{:<14}{}\n", name, value);
}

ordered_json to_object(const reconcile::Reconciler::UnitStatus& unit) {
  const auto seconds = [](reconcile::Counts::Duration duration) {
    return std::chrono::duration<double>(duration).count();
  };
  const reconcile::Counts& counts = unit.counts;
  return {{"entries", unit.desired},
          {"reads", counts.reads},
          {"writes", counts.writes},
          {"written", counts.entries},
          {"failures", counts.failures},
          {"readSeconds", seconds(counts.reading)},
          {"writeSeconds", seconds(counts.writing)},
          {"longestReadSeconds", seconds(counts.longest_read)},
          {"longestWriteSeconds", seconds(counts.longest_write)}};
}

constexpr auto to_value = []<class T>(const T& value) -> ordered_json {
  if constexpr (std::is_same_v<T, std::monostate>)
    return nullptr;
  else
    return value;
};

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

// Throws nlohmann's exceptions on a field that is not there or mistyped.
std::string render(const ordered_json& status) {
  std::string text;
  const auto number = [&](const char* name) { return status.at(name).get<std::uint64_t>(); };
  append_line(text, "Node", status.at("node").get<std::string>());
  append_line(text, "State", state_text(status));
  for (const ordered_json& line : status.at("lines"))
    append_line(text, line.at(0).get<std::string>(), line.at(1).get<std::string>());
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
  ordered_json out{{"node", status.node},
                   {"waitingFor", status.waiting_for},
                   {"settled", status.settled},
                   {"uninstalling", status.uninstalling},
                   {"left", status.left}};
  ordered_json lines = ordered_json::array();
  for (const StatusSection& section : status.sections) {
    for (const StatusField& field : section.fields)
      out[ordered_json::json_pointer(field.pointer)] = std::visit(to_value, field.value);
    for (const StatusLine& line : section.lines)
      lines.push_back(ordered_json::array({line.title, line.text}));
  }
  ordered_json planned = ordered_json::object();
  for (const PlanCounts& counts : status.planned)
    planned[std::string(counts.owner)] = {{"plans", counts.plans}, {"entries", counts.entries}};
  ordered_json units = ordered_json::object();
  for (const auto& unit : status.units) units[std::string(unit.name)] = to_object(unit);
  out.update({{"planned", planned},
              {"units", units},
              {"problems", status.problems},
              {"failing", status.failing},
              {"failures", status.failures},
              {"driftFound", status.drift_found},
              {"uptimeSeconds", status.uptime.count()},
              {"pid", status.pid},
              {"memoryBytes", status.memory_bytes},
              {"lines", lines}});
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

// SPDX-License-Identifier: Apache-2.0
#include "agent/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "agent/status.h"
#include "explain/verify.h"

namespace weft::agent {
namespace {

using reconcile::Drift;

Report failed(const Error& error) { return {"weft: " + error.message + "\n", 1, true}; }

Report unless_failed(const Result<Report>& report) {
  return report ? *report : failed(report.error());
}

// The drifts in one field of the agent's answer.
Result<std::vector<Drift>> drifts_in(const std::string& answer, const char* field) {
  const nlohmann::json object = nlohmann::json::parse(answer, nullptr, false);
  if (!object.is_object() || !object.contains(field))
    return fail(fmt::format("the agent's answer has no field {}", field));
  return explain::from_json_array(object[field].dump());
}

// What the agent failed at and tries again, a line each; "" when nothing.
std::string failing_text(const std::string& answer) {
  std::string text;
  const nlohmann::json object = nlohmann::json::parse(answer, nullptr, false);
  for (const nlohmann::json& error : object.value("failing", nlohmann::json::array()))
    if (error.is_string()) text += "  " + error.get<std::string>() + "\n";
  return text;
}

std::string count_text(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

Result<Report> verify(const std::string& socket, bool json, const control::Waiting& waiting) {
  WEFT_ASSIGN(const std::string answer,
              control::ask_agent(socket, {"verify"}, control::kLongestWork, waiting));
  WEFT_ASSIGN(const std::vector<Drift> drifts, drifts_in(answer, "drift"));
  const int exit_code = drifts.empty() ? 0 : 1;
  if (json) return Report{answer + "\n", exit_code};
  if (drifts.empty()) return Report{"ok: the kernel is what the model says\n"};
  const std::string failing = failing_text(answer);
  const std::string advice = failing.empty()
                                 ? "; `weft verify --repair` mends them\n"
                                 : "; the agent is failing, and tries again\n" + failing +
                                       "`weft verify --repair` reads and writes everything now\n";
  return Report{explain::to_text(drifts) + count_text(drifts.size(), "difference") + advice,
                exit_code};
}

Result<Report> repair(const std::string& socket, bool json, const control::Waiting& waiting) {
  WEFT_ASSIGN(const std::string answer,
              control::ask_agent(socket, {"repair"}, control::kLongestWork, waiting));
  WEFT_ASSIGN(const std::vector<Drift> repaired, drifts_in(answer, "repaired"));
  WEFT_ASSIGN(const std::vector<Drift> left, drifts_in(answer, "drift"));
  const int exit_code = left.empty() ? 0 : 1;
  if (json) return Report{answer + "\n", exit_code};
  if (repaired.empty() && left.empty())
    return Report{"ok: the kernel is what the model says; nothing to repair\n"};
  std::string text = explain::to_text(repaired);
  if (!repaired.empty()) text += count_text(repaired.size(), "difference") + " repaired\n";
  if (!left.empty())
    text += explain::to_text(left) + count_text(left.size(), "difference") +
            " remain; the agent keeps trying\n" + failing_text(answer);
  return Report{text, exit_code};
}

Result<Report> status(const std::string& socket, bool json) {
  WEFT_ASSIGN(const std::string answer,
              control::ask_agent(socket, {"status"}, control::kBusyAgent));
  if (json) return Report{answer + "\n"};
  WEFT_ASSIGN(std::string text, status_text(answer));
  return Report{std::move(text)};
}

Result<Report> wait(const std::string& socket, std::chrono::seconds patience,
                    const control::Waiting& waiting) {
  // The agent answers when the time is up; it may be late.
  const auto longest = patience + control::kLongestWork;
  WEFT_TRY(control::ask_agent(
      socket, {"wait", {{"timeoutSeconds", std::int64_t{patience.count()}}}}, longest, waiting));
  return Report{"written: the kernel has all that the agent knows\n"};
}

Result<Report> uninstall(const std::string& socket, const control::Waiting& waiting) {
  WEFT_TRY(control::uninstall_agent(socket, control::kLongestWork, waiting));
  return Report{"uninstalled: nothing is left in the kernel; the agent has ended\n"};
}

}  // namespace

Report report_status(const std::string& socket, bool json) {
  return unless_failed(status(socket, json));
}

Report report_verify(const std::string& socket, bool json, const control::Waiting& waiting) {
  return unless_failed(verify(socket, json, waiting));
}

Report report_repair(const std::string& socket, bool json, const control::Waiting& waiting) {
  return unless_failed(repair(socket, json, waiting));
}

Report report_wait(const std::string& socket, std::chrono::seconds patience,
                   const control::Waiting& waiting) {
  return unless_failed(wait(socket, patience, waiting));
}

Report report_uninstall(const std::string& socket, const control::Waiting& waiting) {
  return unless_failed(uninstall(socket, waiting));
}

}  // namespace weft::agent

// SPDX-License-Identifier: Apache-2.0
#include "explain/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace weft::explain {
namespace {

using nlohmann::json;
using reconcile::Drift;

// A column that one giant key must not push off the screen.
constexpr std::size_t kWidestColumn = 56;
constexpr std::size_t kLongestLine = 160;

std::size_t width_of(const std::vector<Drift>& drifts, std::string Drift::*column) {
  std::size_t width = 0;
  for (const Drift& drift : drifts) width = std::max(width, (drift.*column).size());
  return std::min(width, kWidestColumn);
}

// "want X", "have Y" or both. An empty description (an address is its key) says nothing.
std::vector<std::string> sides(const Drift& drift) {
  std::vector<std::string> out;
  if (drift.problem != Drift::Problem::kUnexpected && !drift.desired.empty())
    out.push_back("want " + drift.desired);
  if (drift.problem != Drift::Problem::kMissing && !drift.actual.empty())
    out.push_back("have " + drift.actual);
  return out;
}

void append_indented(std::string& text, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    fmt::format_to(std::back_inserter(text), "    {}\n", lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

void append_drift(std::string& text, const Drift& drift, std::size_t kind, std::size_t key) {
  const std::string head = fmt::format("{:<{}}  {:<{}}  {:<10}", drift.kind, kind, drift.key, key,
                                       to_string(drift.problem));
  const std::vector<std::string> values = sides(drift);
  const std::string joined = fmt::format("{}", fmt::join(values, ", "));
  if (joined.find('\n') == std::string::npos && head.size() + joined.size() <= kLongestLine) {
    const std::string line = head + "  " + joined;
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    return;
  }
  text += head.substr(0, head.find_last_not_of(' ') + 1) + "\n";
  for (const std::string& value : values) append_indented(text, value);
}

json to_array(const std::vector<Drift>& drifts) {
  json out = json::array();
  for (const Drift& drift : drifts)
    out.push_back({{"kind", drift.kind},
                   {"key", drift.key},
                   {"problem", std::string(to_string(drift.problem))},
                   {"desired", drift.desired},
                   {"actual", drift.actual}});
  return out;
}

// File content and kernel names need not be UTF-8.
std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::string> text_field(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string())
    return fail(fmt::format("drift: field {} is not a string", name));
  return found->get<std::string>();
}

Result<Drift::Problem> problem_of(std::string_view text) {
  using enum Drift::Problem;
  for (const Drift::Problem problem : {kMissing, kUnexpected, kDifferent})
    if (to_string(problem) == text) return problem;
  return fail(fmt::format("drift: field problem: \"{}\" is none", text));
}

Result<Drift> drift_of(const json& object) {
  if (!object.is_object()) return fail("drift: an entry is not an object");
  Drift drift;
  WEFT_ASSIGN(drift.kind, text_field(object, "kind"));
  WEFT_ASSIGN(drift.key, text_field(object, "key"));
  WEFT_ASSIGN(const std::string problem, text_field(object, "problem"));
  WEFT_ASSIGN(drift.problem, problem_of(problem));
  WEFT_ASSIGN(drift.desired, text_field(object, "desired"));
  WEFT_ASSIGN(drift.actual, text_field(object, "actual"));
  return drift;
}

}  // namespace

std::string to_text(const std::vector<Drift>& drifts) {
  const std::size_t kind = width_of(drifts, &Drift::kind);
  const std::size_t key = width_of(drifts, &Drift::key);
  std::string text;
  for (const Drift& drift : drifts) append_drift(text, drift, kind, key);
  return text;
}

std::string to_json_array(const std::vector<Drift>& drifts) { return dump(to_array(drifts)); }

Result<std::vector<Drift>> from_json_array(std::string_view text) {
  const json array = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!array.is_array()) return fail("drift: not a JSON array");
  std::vector<Drift> drifts;
  for (const json& object : array) {
    WEFT_ASSIGN(Drift drift, drift_of(object));
    drifts.push_back(std::move(drift));
  }
  return drifts;
}

}  // namespace weft::explain

// SPDX-License-Identifier: Apache-2.0
// What the agent says of itself: gathered by the agent, sent as JSON, shown by `weft status`. Each
// feature has a section in it, and says itself how people are to read it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "reconcile/reconciler.h"
#include "reconcile/table.h"

namespace weft::agent {

// std::monostate: null.
using StatusValue =
    std::variant<std::monostate, std::uint64_t, std::string, std::vector<std::string>>;

struct StatusField {
  std::string pointer{};  // where in the JSON (RFC 6901): "/services/count"
  StatusValue value{};
};

struct StatusLine {
  std::string title{};
  std::string text{};
};

// A feature's: for machines, and for people.
struct StatusSection {
  std::vector<StatusField> fields{};
  std::vector<StatusLine> lines{};
};

// How often a feature was asked for a plan, and how many entries it planned, ever.
struct PlanCounts {
  std::string_view owner{};
  std::uint64_t plans = 0;
  std::uint64_t entries = 0;
};

struct Status {
  std::string node{};
  std::string waiting_for{};              // "" once everything was planned
  bool settled = false;                   // the kernel has been brought to what the model says
  bool uninstalling = false;              // nothing is planned any more
  std::vector<std::string> left{};        // what an uninstall could not remove, a line a kind
  std::vector<StatusSection> sections{};  // of the features; none while uninstalling
  std::vector<PlanCounts> planned{};
  std::vector<reconcile::Reconciler::UnitStatus> units{};
  std::vector<std::string> problems{};  // input that is not served as it stands, and why
  std::vector<std::string> failing{};   // writes and reads that failed and are tried again
  std::uint64_t failures = 0;           // such, ever
  std::uint64_t drift_found = 0;        // ever
  std::chrono::seconds uptime{0};
  int pid = 0;
  std::uint64_t memory_bytes = 0;  // resident
};

// A line for each kind: "nft: ip weft-podnet and 3 more"; the shortest name is the outermost
// thing's.
std::vector<std::string> left_texts(const std::vector<reconcile::Drift>& left);

std::string to_json(const Status& status);

// The JSON as aligned lines for people. Fails when it is not a Status.
Result<std::string> status_text(std::string_view json);

// Of this process, in bytes; 0 when /proc does not say.
std::uint64_t resident_memory();

}  // namespace weft::agent

// SPDX-License-Identifier: Apache-2.0
//
// What came of a check's cases: which are good, and the report for people and for programs. Pure,
// but for print().
#pragma once

#include <string>
#include <vector>

#include "lab/check/cases.h"
#include "lab/control_plane/objects.h"
#include "traffic/probe.h"

namespace weft::lab {

struct CheckResult {
  CheckCase asked{};
  traffic::Outcome outcome{};
  bool good = false;
};

struct CheckReport {
  std::vector<CheckResult> results{};
  std::size_t failed() const;
};

bool is_good(const CheckCase& asked, const traffic::Outcome& outcome);
std::string expected_text(const CheckCase& asked);
std::string seen_text(const traffic::Outcome& outcome);

// {passed, failed, cases: [{path, from, to, protocol, good, expected, seen}]}
Json to_json(const CheckReport& report);
void print(const CheckReport& report);

}  // namespace weft::lab

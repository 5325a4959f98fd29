// SPDX-License-Identifier: Apache-2.0
//
// `weft lab check`: real packets over every kind of path of a lab, between probe pods and Services
// of its own, which are removed afterwards whatever came out.
#pragma once

#include <string>
#include <vector>

#include "lab/check_cases.h"
#include "lab/objects.h"
#include "lab/probe.h"
#include "lab/terminal.h"

namespace weft::lab {

struct CheckResult {
  CheckCase asked{};
  ProbeOutcome outcome{};
  bool good = false;
};

struct CheckReport {
  std::vector<CheckResult> results{};
  std::size_t failed() const;
};

Result<CheckReport> check_lab(const std::string& name, Progress& progress);

bool is_good(const CheckCase& asked, const ProbeOutcome& outcome);
std::string expected_text(const CheckCase& asked);
std::string seen_text(const ProbeOutcome& outcome);

// {passed, failed, cases: [{path, from, to, protocol, good, expected, seen}]}
Json to_json(const CheckReport& report);
void print(const CheckReport& report);

}  // namespace weft::lab

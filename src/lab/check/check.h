// SPDX-License-Identifier: Apache-2.0
//
// `weft lab check`: real packets over every kind of path of a lab, between probe pods and Services
// of its own, which are removed afterwards whatever came out.
#pragma once

#include <string>

#include "lab/check/report.h"
#include "lab/terminal.h"

namespace weft::lab {

Result<CheckReport> check_lab(const std::string& name, Progress& progress);

}  // namespace weft::lab

// SPDX-License-Identifier: Apache-2.0
//
// What `weft verify` prints: each difference between what the model says and what the kernel holds,
// for people and for programs. The agent sends the JSON form; the tool that asked renders the text.
//
//   route     10.244.2.0/24    missing     want via 10.244.2.0 dev weft.1 onlink
//   neighbor  weft.1 10.244.2.0  different   want lladdr 02:…, have lladdr 06:…
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reconcile/table.h"

namespace weft::explain {

// One aligned line a difference (more where a value has several lines); "" when there is none.
std::string to_text(const std::vector<reconcile::Drift>& drifts);

// [{"kind":…,"key":…,"problem":…,"desired":…,"actual":…}], without line breaks.
std::string to_json_array(const std::vector<reconcile::Drift>& drifts);

// Reads such an array back. Fails, naming the field, on anything else.
Result<std::vector<reconcile::Drift>> from_json_array(std::string_view text);

}  // namespace weft::explain

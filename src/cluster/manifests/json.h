// SPDX-License-Identifier: Apache-2.0
// JSON text as a Document with line numbers, and what simdjson's terse errors leave out.
#pragma once

#include <string_view>

#include "cluster/manifests/document.h"

namespace weft::cluster {

// The whole text as one Document with only file, line, value and lines filled.
Result<Document> parse_json(std::string_view text, std::string_view file);

}  // namespace weft::cluster

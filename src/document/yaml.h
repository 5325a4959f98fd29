// SPDX-License-Identifier: Apache-2.0
// YAML text as JSON values with line numbers. yaml-cpp and its exceptions stay behind this.
#pragma once

#include <string_view>
#include <vector>

#include "document/document.h"

namespace weft::document {

// Takes 4 s and 700 MB.
constexpr std::size_t kLargestYaml = std::size_t{16} << 20;

// One Document per YAML document, with only file, line, value and lines filled; empty ones skipped.
Result<std::vector<Document>> parse_yaml(std::string_view text, std::string_view file);

}  // namespace weft::document

// SPDX-License-Identifier: Apache-2.0
// JSON text as a Document with the line of every value. For what people write and for errors: bulk
// goes through simdjson (value.h), which keeps no lines.
#pragma once

#include <string_view>

#include "document/document.h"

namespace weft::document {

// The whole text as one Document with only file, line, value and lines filled. `first_line` is the
// text's place in the file. Refuses, with line and field, what is nested deeper than kDepthLimit.
Result<Document> parse_json(std::string_view text, std::string_view file, int first_line = 1);

}  // namespace weft::document

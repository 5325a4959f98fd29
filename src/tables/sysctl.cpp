// SPDX-License-Identifier: Apache-2.0
#include "tables/sysctl.h"

#include <algorithm>
#include <vector>

namespace weft::tables {

namespace {

// Values with several fields come back with tabs between them.
std::vector<std::string> fields(const std::string& value) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string> words;
  for (std::size_t end = 0;;) {
    const std::size_t start = value.find_first_not_of(kSpace, end);
    if (start == std::string::npos) return words;
    end = std::min(value.find_first_of(kSpace, start), value.size());
    words.push_back(value.substr(start, end - start));
  }
}

}  // namespace

bool SysctlKind::same(const Value& desired, const Value& actual) {
  return desired == actual || fields(desired) == fields(actual);
}

std::string SysctlKind::describe(const std::string& key_or_value) { return key_or_value; }

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "tables/file.h"

#include <cstdint>

#include "base/hash.h"

namespace weft::tables {

namespace {

// Tells two contents of one size apart.
std::string fingerprint(std::string_view content) {
  const std::uint64_t hash = hash_of(content);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[hash >> shift & 15];
  return text;
}

}  // namespace

bool FileKind::same(const Value& desired, const Value& actual) { return desired == actual; }

std::string FileKind::describe(const std::string& path_or_content) {
  const bool path =
      path_or_content.starts_with('/') && path_or_content.find('\n') == std::string::npos;
  if (path) return path_or_content;
  return std::to_string(path_or_content.size()) + " bytes (" + fingerprint(path_or_content) + ")";
}

}  // namespace weft::tables

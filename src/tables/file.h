// SPDX-License-Identifier: Apache-2.0
// Files a node needs beside the kernel (the CNI configuration list). Ours: those the driver was
// told to own.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace weft::tables {

struct FileKind {
  using Key = std::string;    // absolute path
  using Value = std::string;  // content
  using Table = std::map<Key, Value>;
  static constexpr std::string_view kName = "file";
  static bool same(const Value& desired, const Value& actual);
  static std::string describe(const std::string& path_or_content);
};

}  // namespace weft::tables

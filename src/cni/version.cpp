// SPDX-License-Identifier: Apache-2.0
#include "cni/version.h"

#include <algorithm>
#include <cstddef>

namespace weft::cni {
namespace {

std::ptrdiff_t place(std::string_view version) {
  return std::find(kVersions.begin(), kVersions.end(), version) - kVersions.begin();
}

}  // namespace

bool is_supported(std::string_view version) {
  return place(version) < static_cast<std::ptrdiff_t>(kVersions.size());
}

bool at_least(std::string_view version, std::string_view other) {
  return place(version) >= place(other);
}

std::string supported_versions() {
  std::string text;
  for (const std::string_view version : kVersions)
    text.append(text.empty() ? "[\"" : ",\"").append(version).append("\"");
  return text + "]";
}

}  // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
// A desired field that is unset is the kernel's to choose: whatever it is, it is the same.
#pragma once

#include <optional>

namespace weft::tables {

template <class T>
bool same_where_set(const std::optional<T>& desired, const std::optional<T>& actual) {
  return !desired || desired == actual;
}

}  // namespace weft::tables

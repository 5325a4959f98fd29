// SPDX-License-Identifier: Apache-2.0
#include "model/interned.h"

#include <set>

namespace weft::model {

const std::string* Interned::copy_of(std::string_view text) {
  static std::set<std::string, std::less<>> copies;
  auto found = copies.find(text);
  if (found == copies.end()) found = copies.emplace(text).first;
  return &*found;
}

}  // namespace weft::model

// SPDX-License-Identifier: Apache-2.0
//
// A text of which there are few, each in many objects (a Node's name in its endpoints): a pointer
// to the one immortal copy. One thread.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace weft::model {

class Interned {
 public:
  Interned() : Interned(std::string_view()) {}
  template <std::convertible_to<std::string_view> Text>
  Interned(const Text& text) : text_(copy_of(text)) {}

  std::string_view view() const { return *text_; }
  bool operator==(const Interned& other) const = default;

 private:
  static const std::string* copy_of(std::string_view text);

  const std::string* text_;
};

}  // namespace weft::model

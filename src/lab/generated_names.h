// SPDX-License-Identifier: Apache-2.0
// Names derived from what they stand for: the same input, the same name, on every run. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::lab {

// `length` (up to 12) characters of Kubernetes' alphabet for generated names: no vowels, so no
// words.
std::string word_of(std::string_view text, std::size_t length);

std::string hex_of(std::string_view text);  // 8 hexadecimal digits

}  // namespace weft::lab

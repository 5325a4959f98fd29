// SPDX-License-Identifier: Apache-2.0
#include "lab/generated_names.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace weft::lab {

std::string word_of(std::string_view text, std::size_t length) {
  // k8s.io/apimachinery/pkg/util/rand: what generated names are made of.
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::uint64_t rest = hash_of(text);
  std::string word;
  for (std::size_t i = 0; i < length; ++i) {
    word += kAlphabet[rest % kAlphabet.size()];
    rest /= kAlphabet.size();
  }
  return word;
}

std::string hex_of(std::string_view text) {
  return fmt::format("{:08x}", static_cast<std::uint32_t>(hash_of(text)));
}

}  // namespace weft::lab

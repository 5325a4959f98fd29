// SPDX-License-Identifier: Apache-2.0
#include "lab/hash.h"

#include <fmt/format.h>

namespace weft::lab {

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93;  // short inputs that differ at their end still differ everywhere
  return hash ^ (hash >> 32);
}

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

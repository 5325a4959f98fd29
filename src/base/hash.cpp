// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

namespace weft {

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93;  // short texts that differ at their end differ everywhere
  return hash ^ (hash >> 32);
}

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace weft {

// FNV-1a of 64 bits, mixed so that any of its bits will do. For names that spread, not for secrets:
// the same on every run and every machine.
std::uint64_t hash_of(std::string_view text);

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// Files that are there whole or not at all, whenever the machine stops: written beside, synced,
// renamed over. Mode 0644; missing directories are made (0755).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::tables {

Result<> write_atomically(const std::string& path, std::string_view content);

// Of what is not there: success. Takes along what a write that was cut short left beside it.
Result<> remove_file(const std::string& path);

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
// Reads a file that somebody put into a directory, and never waits for one: a FIFO has no end, and
// a device none that fits.
#pragma once

#include <string>

#include "base/result.h"

namespace weft::cluster {

// The content of a regular file, or of one that a symlink leads to, of at most 64 MiB. Errors begin
// with `name`; their code is ENOENT where there is none and EISDIR for a directory.
Result<std::string> read_regular_file(const std::string& directory, const std::string& name);

}  // namespace weft::cluster

// SPDX-License-Identifier: Apache-2.0
//
// Whole files by plain system calls: EINTR and short reads and writes retried, errors with the
// path. (Not by streams: the static CNI plugins would carry and start their locales.)
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft {

// To the end of the file. `name` is for the error, whose code is EFBIG when that is more than
// `most` bytes.
Result<std::string> read_all(int fd, std::string_view name, std::size_t most = std::string::npos);
Result<std::string> read_file(const std::string& path);
// Nothing when there is no such file.
Result<std::optional<std::string>> read_if_there(const std::string& path);

Result<> write_all(int fd, std::string_view text, std::string_view name);

// Whether a file outlives a machine that stops (an fsync, milliseconds).
enum class Durable : bool { kNo, kYes };

// Whole or not at all, for whoever reads it: written beside, renamed over. The directory must be
// there; the mode is what it says, whatever the umask.
Result<> write_atomically(const std::string& path, std::string_view text, mode_t mode,
                          Durable durable);

// Of what is not there: success. Takes along what a write_atomically that was cut short left.
Result<> remove_file(const std::string& path);

// The names in a directory, sorted, without "." and ".."; none when there is no such directory.
Result<std::vector<std::string>> list_directory(const std::string& path);

// The directory and its missing parents; one that exists is success.
Result<> make_directories(const std::string& path, mode_t mode);

}  // namespace weft

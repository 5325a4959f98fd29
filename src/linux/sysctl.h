// SPDX-License-Identifier: Apache-2.0
//
// Sysctls, by their path below /proc/sys ("net/ipv4/ip_forward"). Those below net/ are the network
// namespace's that the thread is in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

// Without its line end; nothing when the kernel has no such sysctl.
Result<std::optional<std::string>> read_sysctl(const std::string& key);

Result<> write_sysctl(const std::string& key, std::string_view value);

// Writes it unless it has the value already: what is right may stand where nothing can be written
// (a read-only /proc/sys). One that the kernel lacks is an error.
Result<> ensure_sysctl(const std::string& key, std::string_view value);

}  // namespace weft

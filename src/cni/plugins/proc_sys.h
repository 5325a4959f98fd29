// SPDX-License-Identifier: Apache-2.0
// Writes a sysctl of the thread's network namespace, unless it has the value already.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::cni {

// `key`: path below /proc/sys; `value`: without a line end.
Result<> write_proc_sys(const std::string& key, std::string_view value);

}  // namespace weft::cni

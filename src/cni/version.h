// SPDX-License-Identifier: Apache-2.0
// The versions of the CNI specification that these plugins and this runtime speak: all of them.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace weft::cni {

inline constexpr std::array<std::string_view, 7> kVersions = {"0.1.0", "0.2.0", "0.3.0", "0.3.1",
                                                              "0.4.0", "1.0.0", "1.1.0"};
inline constexpr std::string_view kCurrentVersion = kVersions.back();

bool is_supported(std::string_view version);

// Both supported: the list above is in order.
bool at_least(std::string_view version, std::string_view other);

// `["0.1.0","0.2.0",…]`
std::string supported_versions();

}  // namespace weft::cni

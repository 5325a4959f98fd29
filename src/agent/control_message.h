// SPDX-License-Identifier: Apache-2.0
// The control protocol's two messages as text: pure, for both ends.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::agent {

// The longest request line, in bytes; a longer one is not ours.
inline constexpr std::size_t kLongestRequest = 4096;

// {"method":"status"}
std::string encode_request(std::string_view method);
Result<std::string> decode_request(std::string_view line);

// {"ok":true,"result":…} or {"ok":false,"error":"…"}; decoding the latter gives that error.
std::string encode_response(const Result<std::string>& result);
Result<std::string> decode_response(std::string_view line);

}  // namespace weft::agent

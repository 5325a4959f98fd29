// SPDX-License-Identifier: Apache-2.0
//
// The control socket's two messages as text, a line each; pure, for both ends:
//
//   {"method":"explain","parameters":{"source":"web","port":80}}
//   {"ok":true,"result":…}     or {"ok":false,"error":"…"}
//
// A request is a method and named parameters (none: left out), each one string, whole number or
// boolean. Which parameters a method takes is its own to say (parameters.h); any other field of a
// request is an error. The format is a contract: docs/control-socket.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace weft::control {

// The longest request line, in bytes; a longer one is not ours.
inline constexpr std::size_t kLongestRequest = 4096;

using Value = std::variant<std::string, std::int64_t, bool>;
using Parameters = std::map<std::string, Value, std::less<>>;

struct Request {
  std::string method{};
  Parameters parameters{};

  bool operator==(const Request&) const = default;
};

std::string encode(const Request& request);
// The error names field and value.
Result<Request> decode_request(std::string_view line);

// The result is JSON text without line breaks; decoding an error's response gives that error.
std::string encode(const Result<std::string>& result);
Result<std::string> decode_response(std::string_view line);

// A parameter's value as the message has it: "web" with its quotes, 80, true.
std::string to_string(const Value& value);

}  // namespace weft::control

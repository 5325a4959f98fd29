// SPDX-License-Identifier: Apache-2.0
//
// What a method of the control socket takes, and the strict check of what came: nothing unknown,
// nothing of another type, nothing required that is missing. After check() a reader below needs no
// error: what is there has the declared type. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/message.h"

namespace weft::control {

struct Parameter {
  enum class Type { kString, kNumber, kBoolean };
  std::string name{};
  Type type = Type::kString;
  bool required = false;
};

// The error says method, parameter, value and what it may be: a sentence for the user of `weft`.
Result<> check(const Request& request, const std::vector<Parameter>& known);

// Of a checked request; nothing, or false, where it is not there.
std::optional<std::string> string_in(const Request& request, std::string_view name);
std::optional<std::int64_t> number_in(const Request& request, std::string_view name);
bool boolean_in(const Request& request, std::string_view name);

}  // namespace weft::control

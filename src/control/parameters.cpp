// SPDX-License-Identifier: Apache-2.0
#include "control/parameters.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::control {
namespace {

using Type = Parameter::Type;

bool has_type(const Value& value, Type type) {
  switch (type) {
    case Type::kString:
      return std::holds_alternative<std::string>(value);
    case Type::kNumber:
      return std::holds_alternative<std::int64_t>(value);
    case Type::kBoolean:
      return std::holds_alternative<bool>(value);
  }
  return false;
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::kString:
      return "a string";
    case Type::kNumber:
      return "a whole number";
    case Type::kBoolean:
      return "true or false";
  }
  return "";
}

std::string names(const std::vector<Parameter>& known) {
  if (known.empty()) return "it takes none";
  std::string text = "known: ";
  for (const Parameter& parameter : known)
    text += (&parameter == &known.front() ? "" : ", ") + parameter.name;
  return text;
}

template <class T>
std::optional<T> held(const Request& request, std::string_view name) {
  const auto found = request.parameters.find(name);
  if (found == request.parameters.end()) return std::nullopt;
  if (const T* const value = std::get_if<T>(&found->second)) return *value;
  return std::nullopt;
}

}  // namespace

Result<> check(const Request& request, const std::vector<Parameter>& known) {
  for (const auto& [name, value] : request.parameters) {
    const auto declared = std::find_if(
        known.begin(), known.end(),
        [&given = name](const Parameter& parameter) { return parameter.name == given; });
    if (declared == known.end())
      return fail(
          fmt::format("{}: unknown parameter \"{}\" ({})", request.method, name, names(known)));
    if (!has_type(value, declared->type))
      return fail(fmt::format("{}: {}: {} is not {}", request.method, name, to_string(value),
                              name_of(declared->type)));
  }
  for (const Parameter& parameter : known)
    if (parameter.required && !request.parameters.contains(parameter.name))
      return fail(fmt::format("{}: {} is required, {}", request.method, parameter.name,
                              name_of(parameter.type)));
  return {};
}

std::optional<std::string> string_in(const Request& request, std::string_view name) {
  return held<std::string>(request, name);
}

std::optional<std::int64_t> number_in(const Request& request, std::string_view name) {
  return held<std::int64_t>(request, name);
}

bool boolean_in(const Request& request, std::string_view name) {
  return held<bool>(request, name).value_or(false);
}

}  // namespace weft::control

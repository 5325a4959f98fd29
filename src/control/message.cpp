// SPDX-License-Identifier: Apache-2.0
#include "control/message.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace weft::control {
namespace {

using nlohmann::json;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json to_json(const Value& value) {
  return std::visit([](const auto& held) { return json(held); }, value);
}

Result<Value> value_of(const std::string& name, const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>();
  const bool too_large =
      value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  if (value.is_number_integer() && !too_large) return value.get<std::int64_t>();
  return fail(
      fmt::format("parameters: {}: {} is no string, whole number or boolean", name, dump(value)));
}

Result<Parameters> parameters_of(const json& value) {
  if (!value.is_object()) return fail(fmt::format("parameters: {} is not an object", dump(value)));
  Parameters parameters;
  for (const auto& [name, parameter] : value.items()) {
    WEFT_ASSIGN(parameters[name], value_of(name, parameter));
  }
  return parameters;
}

}  // namespace

std::string encode(const Request& request) {
  json message = {{"method", request.method}};
  for (const auto& [name, value] : request.parameters) message["parameters"][name] = to_json(value);
  return dump(message);
}

Result<Request> decode_request(std::string_view line) {
  const json message = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!message.is_object()) return fail("the request is not a JSON object");
  Request request;
  for (const auto& [name, value] : message.items()) {
    if (name == "parameters") {
      WEFT_ASSIGN(request.parameters, parameters_of(value));
    } else if (name != "method") {
      return fail(fmt::format("unknown field \"{}\" (known: method, parameters)", name));
    } else if (!value.is_string()) {
      return fail(fmt::format("method: {} is not a string", dump(value)));
    } else {
      request.method = value.get<std::string>();
    }
  }
  if (!message.contains("method")) return fail("the request has no method");
  return request;
}

std::string encode(const Result<std::string>& result) {
  if (result) return fmt::format(R"({{"ok":true,"result":{}}})", *result);
  return dump({{"ok", false}, {"error", result.error().message}});
}

Result<std::string> decode_response(std::string_view line) {
  const json response = json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto ok = response.is_object() ? response.find("ok") : response.end();
  if (ok == response.end() || !ok->is_boolean()) return fail("the answer is not the agent's");
  if (ok->get<bool>() && response.contains("result")) return dump(response["result"]);
  if (!ok->get<bool>() && response.contains("error") && response["error"].is_string())
    return fail(response["error"].get<std::string>());
  return fail("the answer is not the agent's");
}

std::string to_string(const Value& value) { return dump(to_json(value)); }

}  // namespace weft::control

// SPDX-License-Identifier: Apache-2.0
#include "agent/control_message.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace weft::agent {
namespace {

using nlohmann::json;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string encode_request(std::string_view method) { return dump({{"method", method}}); }

Result<std::string> decode_request(std::string_view line) {
  const json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!request.is_object()) return fail("the request is not a JSON object");
  for (const auto& [name, value] : request.items()) {
    if (name != "method") return fail(fmt::format("unknown field \"{}\"", name));
    if (!value.is_string()) return fail(fmt::format("method: {} is not a string", dump(value)));
  }
  if (!request.contains("method")) return fail("the request has no method");
  return request["method"].get<std::string>();
}

std::string encode_response(const Result<std::string>& result) {
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

}  // namespace weft::agent

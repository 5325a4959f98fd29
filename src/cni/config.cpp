// SPDX-License-Identifier: Apache-2.0
#include "cni/config.h"

#include "cni/environment.h"
#include "cni/result_json.h"
#include "cni/version.h"

namespace weft::cni {
namespace {

constexpr std::string_view kFirstVersion = "0.1.0";

Outcome<> check_version(const std::string& version) {
  if (is_supported(version)) return {};
  return fail(ErrorCode::kIncompatibleVersion, "incompatible CNI versions",
              "config is \"" + version + "\", plugin supports " + supported_versions());
}

}  // namespace

Outcome<NetworkConfig> decode_config(std::string_view text) {
  NetworkConfig config;
  CNI_ASSIGN(config.json, parse_json(text));
  ObjectReader reader(config.json, "");
  config.cni_version = reader.text("cniVersion");
  if (config.cni_version.empty()) config.cni_version = kFirstVersion;
  config.name = reader.text("name");
  config.type = reader.text("type");
  const Json* prev_result = reader.object("prevResult");
  CNI_TRY(reader.done());
  if (const std::string fault = network_name_fault(config.name); !fault.empty())
    return fail(ErrorCode::kInvalidConfig, fault);
  CNI_TRY(check_version(config.cni_version));
  if (prev_result != nullptr) {
    Outcome<CniResult> result = result_from_json(*prev_result, config.cni_version);
    if (!result) {
      result.error().message.insert(0, "prevResult: ");
      return CniFailure(std::move(result.error()));
    }
    config.prev_result = std::move(*result);
  }
  return config;
}

std::string version_of(std::string_view text) {
  const Outcome<Json> json = parse_json(text);
  if (!json || !json->is_object()) return std::string(kCurrentVersion);
  const std::string version = ObjectReader(*json, "").text("cniVersion");
  return is_supported(version) ? version : std::string(kCurrentVersion);
}

}  // namespace weft::cni

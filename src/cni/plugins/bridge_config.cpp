// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/bridge_config.h"

#include <array>

#include "cni/result_json.h"

namespace weft::cni {
namespace {

constexpr std::array<std::string_view, 3> kKnownArguments = {"MAC", "IP", "GATEWAY"};
constexpr std::int64_t kLargestMtu = 65535;

// Keys of the reference that ask for what is not carried out here when they hold more than nothing.
constexpr std::array<const char*, 8> kUnsupported = {
    "ipMasq",      "promiscMode",   "vlan",      "vlanTrunk",
    "macspoofchk", "portIsolation", "enabledad", "disableContainerInterface",
};

bool asks_for_nothing(const Json& value) {
  return value.is_null() || value == false || value == 0 ||
         (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_structured() && value.empty());
}

Outcome<> check_supported(const Json& json) {
  for (const char* key : kUnsupported) {
    const auto found = json.find(key);
    if (found != json.end() && !asks_for_nothing(*found))
      return fail(ErrorCode::kUnsupportedField,
                  std::string(key) + ": " + print_compact(*found) + " is not supported by bridge");
  }
  return {};
}

// Of a nested object ("args", then "cni"): its mac.
std::optional<MacAddress> nested_mac(ObjectReader& owner, const char* key, const char* inner) {
  const Json* object = owner.object(key);
  if (object == nullptr) return std::nullopt;
  ObjectReader reader(*object, owner.path_of(key));
  std::optional<MacAddress> mac =
      inner != nullptr ? nested_mac(reader, inner, nullptr) : reader.mac("mac");
  owner.merge(reader);
  return mac;
}

Outcome<std::optional<MacAddress>> argument_mac(std::string_view text) {
  CNI_ASSIGN(const Arguments arguments, decode_arguments(text, kKnownArguments));
  const auto found = arguments.find("MAC");
  if (found == arguments.end() || found->second.empty()) return std::nullopt;
  const Result<MacAddress> mac = MacAddress::parse(found->second);
  if (!mac) return fail(ErrorCode::kInvalidEnvironment, "CNI_ARGS: MAC: " + mac.error().message);
  return *mac;
}

// runtimeConfig before args.cni before CNI_ARGS.
Outcome<std::optional<MacAddress>> requested_mac(ObjectReader& reader, std::string_view arguments) {
  CNI_ASSIGN(std::optional<MacAddress> mac, argument_mac(arguments));
  if (const auto from_args = nested_mac(reader, "args", "cni")) mac = from_args;
  if (const auto from_runtime = nested_mac(reader, "runtimeConfig", nullptr)) mac = from_runtime;
  return mac;
}

}  // namespace

Outcome<std::string> decode_ipam_type(const NetworkConfig& config) {
  ObjectReader reader(config.json, "");
  std::string type;
  if (const Json* ipam = reader.object("ipam")) {
    ObjectReader inner(*ipam, "ipam");
    type = inner.text("type");
    reader.merge(inner);
  }
  CNI_TRY(reader.done());
  return type;
}

Outcome<BridgeConfig> decode_bridge(const NetworkConfig& config, std::string_view arguments) {
  ObjectReader reader(config.json, "");
  BridgeConfig bridge;
  bridge.bridge = reader.text("bridge", bridge.bridge);
  bridge.is_default_gateway = reader.boolean("isDefaultGateway");
  bridge.is_gateway = reader.boolean("isGateway") || bridge.is_default_gateway;
  bridge.force_address = reader.boolean("forceAddress");
  bridge.hairpin = reader.boolean("hairpinMode");
  if (const auto mtu = reader.integer("mtu", 0, kLargestMtu); mtu && *mtu != 0)
    bridge.mtu = static_cast<std::uint32_t>(*mtu);
  bridge.dns = read_dns(reader, "dns");
  CNI_ASSIGN(bridge.mac, requested_mac(reader, arguments));
  CNI_TRY(reader.done());
  CNI_ASSIGN(bridge.ipam_type, decode_ipam_type(config));
  CNI_TRY(check_supported(config.json));
  if (const std::string fault = ifname_fault(bridge.bridge); !fault.empty())
    return fail(ErrorCode::kInvalidConfig, "bridge: \"" + bridge.bridge + "\": " + fault);
  return bridge;
}

}  // namespace weft::cni

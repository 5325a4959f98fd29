// SPDX-License-Identifier: Apache-2.0
#include "cni/result_json.h"

#include "cni/version.h"

namespace weft::cni {
namespace {

enum class Shape { kIp4Ip6, kIpsWithVersion, kCurrent };

Shape shape_of(std::string_view version) {
  if (at_least(version, "1.0.0")) return Shape::kCurrent;
  return at_least(version, "0.3.0") ? Shape::kIpsWithVersion : Shape::kIp4Ip6;
}

// What 1.1.0 added to interfaces and routes.
bool has_extras(std::string_view version) { return at_least(version, "1.1.0"); }

void put(Json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

void put(Json& json, const char* key, const std::vector<std::string>& values) {
  if (!values.empty()) json[key] = values;
}

void put(Json& json, const char* key, const std::optional<IpAddress>& address) {
  if (address) json[key] = address->to_string();
}

void put(Json& json, const char* key, const std::optional<std::uint32_t>& number) {
  if (number) json[key] = *number;
}

void put_list(Json& json, const char* key, Json list) {
  if (!list.empty()) json[key] = std::move(list);
}

Json interface_to_json(const Interface& interface, bool extras) {
  Json json = {{"name", interface.name}};
  put(json, "mac", interface.mac);
  if (extras) put(json, "mtu", interface.mtu);
  put(json, "sandbox", interface.sandbox);
  if (!extras) return json;
  put(json, "socketPath", interface.socket_path);
  put(json, "pciID", interface.pci_id);
  return json;
}

Json route_to_json(const Route& route, bool extras) {
  Json json = {{"dst", route.destination.to_string()}};
  put(json, "gw", route.gateway);
  if (!extras) return json;
  put(json, "mtu", route.mtu);
  put(json, "advmss", route.advmss);
  put(json, "priority", route.priority);
  put(json, "table", route.table);
  put(json, "scope", route.scope);
  return json;
}

Json ip_to_json(const IpConfig& ip, Shape shape) {
  Json json = Json::object();
  if (shape == Shape::kIpsWithVersion)
    json["version"] = ip.address.family() == IpFamily::kIpv4 ? "4" : "6";
  put(json, "interface", ip.interface);
  json["address"] = ip.address.to_string();
  put(json, "gateway", ip.gateway);
  return json;
}

void put_dns(Json& json, const Dns& dns) {
  Json object = Json::object();
  put(object, "nameservers", dns.nameservers);
  put(object, "domain", dns.domain);
  put(object, "search", dns.search);
  put(object, "options", dns.options);
  put_list(json, "dns", std::move(object));
}

// The family's first address and all its routes.
void put_family(Json& json, const char* key, const CniResult& result, IpFamily family) {
  for (const IpConfig& ip : result.ips) {
    if (ip.address.family() != family) continue;
    Json object = {{"ip", ip.address.to_string()}};
    put(object, "gateway", ip.gateway);
    Json routes = Json::array();
    for (const Route& route : result.routes) {
      if (route.destination.family() == family) routes.push_back(route_to_json(route, false));
    }
    put_list(object, "routes", std::move(routes));
    json[key] = std::move(object);
    return;
  }
}

Interface read_interface(const Json& json, const std::string& path, ObjectReader& owner) {
  ObjectReader reader(json, path);
  Interface interface {
    reader.text("name"), reader.text("mac"), reader.number("mtu"), reader.text("sandbox"),
        reader.text("socketPath"), reader.text("pciID")
  };
  owner.merge(reader);
  return interface;
}

IpConfig read_ip(const Json& json, const std::string& path, ObjectReader& owner) {
  ObjectReader reader(json, path);
  const std::optional<Prefix> address = reader.prefix("address");
  if (!address) reader.fault({ErrorCode::kDecodeFailure, reader.path_of("address") + ": missing"});
  IpConfig ip{address.value_or(Prefix{}), reader.address("gateway"), reader.number("interface")};
  owner.merge(reader);
  return ip;
}

void read_family(ObjectReader& owner, const char* key, CniResult& result) {
  const Json* object = owner.object(key);
  if (object == nullptr) return;
  ObjectReader reader(*object, owner.path_of(key));
  const std::optional<Prefix> address = reader.prefix("ip");
  if (!address) reader.fault({ErrorCode::kDecodeFailure, reader.path_of("ip") + ": missing"});
  result.ips.push_back({address.value_or(Prefix{}), reader.address("gateway"), std::nullopt});
  reader.array("routes", [&](const Json& json, const std::string& path) {
    result.routes.push_back(read_route(json, path, reader));
  });
  owner.merge(reader);
}

void read_lists(ObjectReader& reader, CniResult& result) {
  reader.array("interfaces", [&](const Json& json, const std::string& path) {
    result.interfaces.push_back(read_interface(json, path, reader));
  });
  reader.array("ips", [&](const Json& json, const std::string& path) {
    result.ips.push_back(read_ip(json, path, reader));
  });
  reader.array("routes", [&](const Json& json, const std::string& path) {
    result.routes.push_back(read_route(json, path, reader));
  });
}

}  // namespace

Outcome<Json> result_to_json(const CniResult& result, std::string_view version) {
  const Shape shape = shape_of(version);
  Json json = {{"cniVersion", std::string(version)}};
  if (shape == Shape::kIp4Ip6) {
    put_family(json, "ip4", result, IpFamily::kIpv4);
    put_family(json, "ip6", result, IpFamily::kIpv6);
    if (!json.contains("ip4") && !json.contains("ip6"))
      return fail(ErrorCode::kInternal, "cannot convert: no valid IP addresses",
                  "result has no address, which version " + std::string(version) + " cannot say");
  } else {
    Json interfaces = Json::array();
    Json ips = Json::array();
    Json routes = Json::array();
    for (const Interface& interface : result.interfaces)
      interfaces.push_back(interface_to_json(interface, has_extras(version)));
    for (const IpConfig& ip : result.ips) ips.push_back(ip_to_json(ip, shape));
    for (const Route& route : result.routes)
      routes.push_back(route_to_json(route, has_extras(version)));
    put_list(json, "interfaces", std::move(interfaces));
    put_list(json, "ips", std::move(ips));
    put_list(json, "routes", std::move(routes));
  }
  put_dns(json, result.dns);
  return json;
}

Outcome<CniResult> result_from_json(const Json& json, std::string_view version) {
  ObjectReader reader(json, "");
  const std::string own = reader.text("cniVersion", std::string(version));
  CNI_TRY(reader.done());
  const std::string_view format = own.empty() ? version : own;
  if (!is_supported(format))
    return fail(ErrorCode::kIncompatibleVersion, "unsupported CNI result version",
                "result is \"" + own + "\", supported are " + supported_versions());
  CniResult result;
  if (shape_of(format) == Shape::kIp4Ip6) {
    read_family(reader, "ip4", result);
    read_family(reader, "ip6", result);
  } else {
    read_lists(reader, result);
  }
  result.dns = read_dns(reader, "dns");
  CNI_TRY(reader.done());
  return result;
}

Route read_route(const Json& json, const std::string& path, ObjectReader& owner) {
  ObjectReader reader(json, path);
  const std::optional<Prefix> destination = reader.prefix("dst");
  if (!destination) reader.fault({ErrorCode::kDecodeFailure, reader.path_of("dst") + ": missing"});
  Route route{destination.value_or(Prefix{}), reader.address("gw"),      reader.number("mtu"),
              reader.number("advmss"),        reader.number("priority"), reader.number("table"),
              reader.number("scope")};
  owner.merge(reader);
  return route;
}

Dns read_dns(ObjectReader& owner, const char* key) {
  const Json* object = owner.object(key);
  if (object == nullptr) return {};
  ObjectReader reader(*object, owner.path_of(key));
  Dns dns{reader.texts("nameservers"), reader.text("domain"), reader.texts("search"),
          reader.texts("options")};
  owner.merge(reader);
  return dns;
}

}  // namespace weft::cni

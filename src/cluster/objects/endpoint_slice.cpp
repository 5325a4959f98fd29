// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "cluster/objects/decode.h"
#include "cluster/objects/read.h"

namespace weft::cluster {
namespace {

using model::Endpoint;

constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";

// The first of the addresses, all of which must be as they should.
std::optional<IpAddress> decode_address(const Field& addresses, IpFamily family) {
  std::optional<IpAddress> first;
  addresses.each([&](const Field& field) {
    const IpAddress address = field.unicast_address();
    if (address.family() != family)
      field.refuse(family == IpFamily::kIpv4 ? "must be IPv4, as addressType says"
                                             : "must be IPv6, as addressType says");
    if (!first) first = address;
  });
  return first;
}

// Nothing: it has no address.
std::optional<Endpoint> decode_endpoint(const Field& object, IpFamily family) {
  const std::optional<IpAddress> address = decode_address(object["addresses"], family);
  if (!address) return std::nullopt;
  Endpoint endpoint{.address = *address};
  const Field conditions = object["conditions"];
  endpoint.ready = conditions["ready"].flag(true);
  endpoint.serving = conditions["serving"].flag(endpoint.ready);
  endpoint.terminating = conditions["terminating"].flag(false);
  endpoint.node_name = object["nodeName"].text();
  return endpoint;
}

}  // namespace

bool decode(const Field& object, model::EndpointSlice& out) {
  out.name = namespaced_name(object);
  out.service_name = object["metadata"]["labels"][kServiceNameLabel].text();
  const std::string type = required_text(object["addressType"]);
  if (type == "FQDN") return false;  // names are not for packets
  if (type != "IPv4" && type != "IPv6") object["addressType"].refuse("must be IPv4, IPv6 or FQDN");
  out.family = type == "IPv6" ? IpFamily::kIpv6 : IpFamily::kIpv4;
  object["endpoints"].each([&](const Field& endpoint) {
    if (const auto decoded = decode_endpoint(endpoint, out.family))
      out.endpoints.push_back(*decoded);
  });
  out.endpoints.shrink_to_fit();  // there may be 100,000s, which stay
  object["ports"].each([&](const Field& port) {
    // Without a number it stands for every port, which no Service port can be matched to.
    if (port["port"].is_set())
      out.ports.push_back(
          {port["name"].text(), protocol_of(port["protocol"]), port["port"].port()});
  });
  return true;
}

}  // namespace weft::cluster

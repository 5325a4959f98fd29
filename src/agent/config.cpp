// SPDX-License-Identifier: Apache-2.0
#include "agent/config.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include "document/json.h"
#include "document/known_fields.h"
#include "document/reading.h"
#include "document/yaml.h"
#include "podnet/transport.h"

namespace weft::agent {
namespace {

using document::KnownFields;
using document::Value;

constexpr std::uint32_t kSmallestMtu = 1280;  // IPv6 needs it (RFC 8200 §5), and no link has less
constexpr std::uint32_t kLargestMtu = 65535;

Failure not_a(const Value& value, std::string_view what) {
  return fail(fmt::format("{} is not {}", value.shown(), what));
}

Result<std::string> text(const Value& value) {
  const auto text = value.text();
  if (!text) return not_a(value, "a string");
  if (text->empty()) return not_a(value, "a name or a value: it is empty");
  return std::string(*text);
}

// Exactly this text: for apiVersion and kind.
auto exactly(std::string_view wanted) {
  return [wanted](const Value& value) -> Result<std::string> {
    if (value.text() != wanted) return not_a(value, fmt::format("\"{}\"", wanted));
    return std::string(wanted);
  };
}

Result<std::string> node_name(const Value& value) {
  WEFT_ASSIGN(std::string name, text(value));
  const bool good =
      name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
      });
  if (!good) return not_a(value, "a node name (lower case letters, digits, - and .)");
  return name;
}

Result<std::string> absolute_path(const Value& value) {
  WEFT_ASSIGN(std::string path, text(value));
  if (path.front() != '/') return not_a(value, "an absolute path");
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Result<std::string> socket_path(const Value& value) {
  WEFT_ASSIGN(std::string path, absolute_path(value));
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > kLongest)
    return not_a(value, fmt::format("a socket path: longer than {} bytes", kLongest));
  return path;
}

Result<bool> boolean(const Value& value) {
  const auto flag = value.flag();
  if (!flag) return not_a(value, "true or false");
  return *flag;
}

Result<std::uint32_t> mtu(const Value& value) {
  const auto mtu = value.number();
  if (!mtu || (*mtu != 0 && (*mtu < kSmallestMtu || *mtu > kLargestMtu)))
    return not_a(value,
                 fmt::format("0 (from the underlay) or {} to {}", kSmallestMtu, kLargestMtu));
  return static_cast<std::uint32_t>(*mtu);
}

// A list whose members `decode` reads; a value twice in it is an error.
template <class Decode>
auto list_of(Decode decode) {
  return
      [decode](
          const Value& value) -> Result<std::vector<typename decltype(decode(value))::value_type>> {
        if (!value.is_list()) return not_a(value, "a list");
        std::vector<typename decltype(decode(value))::value_type> out;
        for (const Value& member : value.items()) {
          WEFT_ASSIGN(auto decoded, decode(member));
          if (std::find(out.begin(), out.end(), decoded) != out.end())
            return fail(fmt::format("{} is there twice", member.shown()));
          out.push_back(std::move(decoded));
        }
        return out;
      };
}

Result<Prefix> cidr(const Value& value) {
  const std::string_view text = value.text().value_or("");
  const auto parsed = text.find('/') != std::string_view::npos ? Prefix::parse(text) : fail("");
  if (!parsed) return not_a(value, "a CIDR (like 10.244.0.0/16)");
  if (!parsed->is_network())
    return not_a(value, fmt::format("a network: did you mean {}?", parsed->network().to_string()));
  return *parsed;
}

// A network that pods and Services can have their addresses from.
Result<Prefix> usable_cidr(const Value& value) {
  struct Special {
    const char* network = "";
    const char* name = "";
  };
  constexpr std::array<Special, 8> kSpecial{{{"0.0.0.0/32", "unspecified"},
                                             {"127.0.0.0/8", "loopback"},
                                             {"169.254.0.0/16", "link-local"},
                                             {"224.0.0.0/4", "multicast"},
                                             {"::/128", "unspecified"},
                                             {"::1/128", "loopback"},
                                             {"fe80::/10", "link-local"},
                                             {"ff00::/8", "multicast"}}};
  WEFT_ASSIGN(const Prefix network, cidr(value));
  if (network.length == 0) return fail(value.shown() + " is the default route");
  for (const Special& special : kSpecial) {
    const Prefix other = *Prefix::parse(special.network);
    if (other.contains(network) || network.contains(other))
      return fail(
          fmt::format("{} overlaps {}, which is {}", value.shown(), special.network, special.name));
  }
  return network;
}

// That pods have addresses of this family.
Result<> check_family(IpFamily family, const std::vector<Prefix>& cluster_cidrs,
                      const Value& value) {
  if (std::any_of(cluster_cidrs.begin(), cluster_cidrs.end(),
                  [&](const Prefix& cidr) { return cidr.family() == family; }))
    return {};
  return fail(fmt::format("{0} is IPv{1}, and spec.clusterCIDRs has no IPv{1}", value.shown(),
                          static_cast<int>(family)));
}

// Networks of which no two overlap: nftables takes no such interval set. `others` are those of
// another field, of that `name`.
auto networks_apart_from(std::vector<Prefix> others, std::string_view name) {
  return [others = std::move(others), name](const Value& value) -> Result<std::vector<Prefix>> {
    WEFT_ASSIGN(std::vector<Prefix> networks, list_of(usable_cidr)(value));
    for (std::size_t i = 0; i < networks.size(); ++i) {
      const auto overlaps = [&](const Prefix& other) {
        return other.contains(networks[i]) || networks[i].contains(other);
      };
      const auto before = networks.begin() + static_cast<std::ptrdiff_t>(i);
      if (const auto other = std::find_if(networks.begin(), before, overlaps); other != before)
        return fail(fmt::format("{} overlaps {}", value.items()[i].shown(), other->to_string()));
      if (const auto other = std::find_if(others.begin(), others.end(), overlaps);
          other != others.end())
        return fail(fmt::format("{} overlaps {} of {}", value.items()[i].shown(),
                                other->to_string(), name));
    }
    return networks;
  };
}

Result<IpAddress> ip_address(const Value& value) {
  const auto parsed = IpAddress::parse(value.text().value_or(""));
  if (!parsed) return not_a(value, "an IP address");
  return *parsed;
}

// The back end knows the addresses one by one, and packets from loopback go nowhere but to the
// node itself (net.ipv4.conf.all.route_localnet is 0; IPv6 has no such choice).
auto node_port_addresses(std::vector<Prefix> cluster_cidrs) {
  const auto decode = [cluster_cidrs =
                           std::move(cluster_cidrs)](const Value& value) -> Result<IpAddress> {
    WEFT_ASSIGN(const IpAddress address, ip_address(value));
    if (address.is_unspecified() || address.is_loopback() || address.is_multicast())
      return not_a(value, "an address that other hosts can reach this node by");
    WEFT_TRY(check_family(address.family(), cluster_cidrs, value));
    return address;
  };
  return list_of(decode);
}

Result<std::string> transport(const Value& value) {
  const std::vector<std::string_view> names = podnet::transport_names();
  for (const std::string_view name : names)
    if (value.text() == name) return std::string(name);
  return not_a(value, fmt::format("{}", fmt::join(names, " or ")));
}

Result<std::chrono::milliseconds> duration(const Value& value) {
  if (value.number() == 0) return std::chrono::milliseconds(0);
  const auto parsed = parse_duration(value.text().value_or(""));
  if (!parsed) return not_a(value, "a duration (like 30s, 500ms or 1m30s; 0 = off)");
  return *parsed;
}

Result<log::Level> log_level(const Value& value) {
  const auto level = log::parse_level(value.text().value_or(""));
  if (!level) return not_a(value, "debug, info, warning or error");
  return *level;
}

Result<std::vector<Prefix>> some_networks(const Value& value) {
  if (value.is_list() && value.items().empty())
    return not_a(value, "a list with at least one CIDR");
  return networks_apart_from({}, "")(value);
}

auto service_networks(std::vector<Prefix> cluster_cidrs) {
  return [cluster_cidrs =
              std::move(cluster_cidrs)](const Value& value) -> Result<std::vector<Prefix>> {
    WEFT_ASSIGN(std::vector<Prefix> networks,
                networks_apart_from(cluster_cidrs, "spec.clusterCIDRs")(value));
    for (std::size_t i = 0; i < networks.size(); ++i)
      WEFT_TRY(check_family(networks[i].family(), cluster_cidrs, value.items()[i]));
    return networks;
  };
}

void read_spec(KnownFields spec, Config& config) {
  spec.required("nodeName", config.node_name, node_name);
  spec.required("clusterCIDRs", config.cluster_cidrs, some_networks);
  spec.optional("serviceCIDRs", config.service_cidrs, service_networks(config.cluster_cidrs));
  spec.optional("stateDirectory", config.state_directory, absolute_path);
  spec.optional("controlSocket", config.control_socket, socket_path);
  spec.optional("manifestDirectory", config.manifest_directory, absolute_path);

  KnownFields pod_network = spec.object("podNetwork");
  pod_network.optional("transport", config.pod_network.transport, transport);
  pod_network.optional("mtu", config.pod_network.mtu, mtu);
  pod_network.optional("masquerade", config.pod_network.masquerade, boolean);
  pod_network.done();

  KnownFields cni = spec.object("cni");
  cni.optional("configurationDirectory", config.cni.configuration_directory, absolute_path);
  cni.optional("dataDirectory", config.cni.data_directory, absolute_path);
  cni.done();

  KnownFields services = spec.object("services");
  services.optional("backend", config.services.backend, exactly("nftables"));
  services.optional("nodePortAddresses", config.services.node_port_addresses,
                    node_port_addresses(config.cluster_cidrs));
  services.done();

  spec.optional("resyncPeriod", config.resync_period, duration);
  spec.optional("watchKernel", config.watch_kernel, boolean);
  spec.optional("logLevel", config.log_level, log_level);
  spec.done();
}

Result<document::Document> read_document(std::string_view text, std::string_view file) {
  if (document::is_json(text)) return document::parse_json(text, file);
  WEFT_ASSIGN(std::vector<document::Document> documents, document::parse_yaml(text, file));
  if (documents.empty()) return fail(fmt::format("{}: is empty", file));
  if (documents.size() > 1)
    return fail(fmt::format("{}:{}: a second document; one is the whole configuration", file,
                            documents[1].line));
  return std::move(documents.front());
}

}  // namespace

Result<Config> parse_config(std::string_view text, std::string_view file) {
  WEFT_ASSIGN(const document::Document document, read_document(text, file));
  Config config;
  document::Reading reading(document);
  KnownFields top(reading.root());
  std::string constant;
  top.required("apiVersion", constant, exactly("weft.dev/v1alpha1"));
  top.required("kind", constant, exactly("AgentConfiguration"));
  read_spec(top.object("spec"), config);
  top.done();
  WEFT_TRY(reading.outcome());
  return config;
}

Result<Config> load_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail_errno(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad() || text.fail()) return fail(path + ": cannot be read");
  return parse_config(text.str(), path);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name{};
    std::uint64_t milliseconds = 0;
  };
  // Longest name first: "ms" is not "m" and a left-over "s".
  constexpr std::array<Unit, 4> kUnits{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
  constexpr std::uint64_t kLongest = 1000ULL * 3'600'000;
  if (text == "0") return std::chrono::milliseconds(0);
  const Failure bad = fail(fmt::format("\"{}\" is not a duration", text));
  if (text.empty()) return bad;
  std::uint64_t total = 0;
  for (std::string_view rest = text; !rest.empty();) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc{} || number > kLongest) return bad;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) {
      return rest.substr(0, u.name.size()) == u.name;
    });
    if (unit == kUnits.end()) return bad;
    rest.remove_prefix(unit->name.size());
    total += number * unit->milliseconds;
    if (total > kLongest) return bad;
  }
  return std::chrono::milliseconds(total);
}

}  // namespace weft::agent

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

#include "agent/fields.h"
#include "cluster/manifests/json.h"
#include "cluster/manifests/yaml.h"
#include "podnet/transport.h"

namespace weft::agent {
namespace {

using nlohmann::json;

constexpr std::uint32_t kSmallestMtu = 1280;  // IPv6 needs it (RFC 8200 §5), and no link has less
constexpr std::uint32_t kLargestMtu = 65535;

Failure not_a(const json& value, std::string_view what) {
  return fail(fmt::format("{} is not {}", cluster::shown(value), what));
}

Result<std::string> text(const json& value) {
  if (!value.is_string()) return not_a(value, "a string");
  if (value.get_ref<const std::string&>().empty())
    return not_a(value, "a name or a value: it is empty");
  return value.get<std::string>();
}

// Exactly this text: for apiVersion and kind.
auto exactly(std::string_view wanted) {
  return [wanted](const json& value) -> Result<std::string> {
    if (value != wanted) return not_a(value, fmt::format("\"{}\"", wanted));
    return std::string(wanted);
  };
}

Result<std::string> node_name(const json& value) {
  WEFT_ASSIGN(std::string name, text(value));
  const bool good =
      name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
      });
  if (!good) return not_a(value, "a node name (lower case letters, digits, - and .)");
  return name;
}

Result<std::string> absolute_path(const json& value) {
  WEFT_ASSIGN(std::string path, text(value));
  if (path.front() != '/') return not_a(value, "an absolute path");
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Result<std::string> socket_path(const json& value) {
  WEFT_ASSIGN(std::string path, absolute_path(value));
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > kLongest)
    return not_a(value, fmt::format("a socket path: longer than {} bytes", kLongest));
  return path;
}

Result<bool> boolean(const json& value) {
  if (!value.is_boolean()) return not_a(value, "true or false");
  return value.get<bool>();
}

Result<std::uint32_t> mtu(const json& value) {
  const bool good = value.is_number_unsigned() &&
                    (value == 0U || (value >= kSmallestMtu && value <= kLargestMtu));
  if (!good)
    return not_a(value,
                 fmt::format("0 (from the underlay) or {} to {}", kSmallestMtu, kLargestMtu));
  return value.get<std::uint32_t>();
}

// A list whose members `decode` reads; a value twice in it is an error.
template <class Decode>
auto list_of(Decode decode) {
  return
      [decode](
          const json& value) -> Result<std::vector<typename decltype(decode(value))::value_type>> {
        if (!value.is_array()) return not_a(value, "a list");
        std::vector<typename decltype(decode(value))::value_type> out;
        for (const json& member : value) {
          WEFT_ASSIGN(auto decoded, decode(member));
          if (std::find(out.begin(), out.end(), decoded) != out.end())
            return fail(fmt::format("{} is there twice", cluster::shown(member)));
          out.push_back(std::move(decoded));
        }
        return out;
      };
}

Result<Prefix> cidr(const json& value) {
  const auto parsed =
      value.is_string() && value.get_ref<const std::string&>().find('/') != std::string::npos
          ? Prefix::parse(value.get_ref<const std::string&>())
          : fail("");
  if (!parsed) return not_a(value, "a CIDR (like 10.244.0.0/16)");
  if (!parsed->is_network())
    return not_a(value, fmt::format("a network: did you mean {}?", parsed->network().to_string()));
  return *parsed;
}

// A network that pods and Services can have their addresses from.
Result<Prefix> usable_cidr(const json& value) {
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
  if (network.length == 0) return fail(cluster::shown(value) + " is the default route");
  for (const Special& special : kSpecial) {
    const Prefix other = *Prefix::parse(special.network);
    if (other.contains(network) || network.contains(other))
      return fail(fmt::format("{} overlaps {}, which is {}", cluster::shown(value), special.network,
                              special.name));
  }
  return network;
}

// That pods have addresses of this family.
Result<> check_family(IpFamily family, const std::vector<Prefix>& cluster_cidrs,
                      const json& value) {
  if (std::any_of(cluster_cidrs.begin(), cluster_cidrs.end(),
                  [&](const Prefix& cidr) { return cidr.family() == family; }))
    return {};
  return fail(fmt::format("{0} is IPv{1}, and spec.clusterCIDRs has no IPv{1}",
                          cluster::shown(value), static_cast<int>(family)));
}

// Networks of which no two overlap: nftables takes no such interval set. `others` are those of
// another field, of that `name`.
auto networks_apart_from(std::vector<Prefix> others, std::string_view name) {
  return [others = std::move(others), name](const json& value) -> Result<std::vector<Prefix>> {
    WEFT_ASSIGN(std::vector<Prefix> networks, list_of(usable_cidr)(value));
    for (std::size_t i = 0; i < networks.size(); ++i) {
      const auto overlaps = [&](const Prefix& other) {
        return other.contains(networks[i]) || networks[i].contains(other);
      };
      const auto before = networks.begin() + static_cast<std::ptrdiff_t>(i);
      if (const auto other = std::find_if(networks.begin(), before, overlaps); other != before)
        return fail(fmt::format("{} overlaps {}", cluster::shown(value[i]), other->to_string()));
      if (const auto other = std::find_if(others.begin(), others.end(), overlaps);
          other != others.end())
        return fail(fmt::format("{} overlaps {} of {}", cluster::shown(value[i]),
                                other->to_string(), name));
    }
    return networks;
  };
}

Result<IpAddress> ip_address(const json& value) {
  const auto parsed =
      value.is_string() ? IpAddress::parse(value.get_ref<const std::string&>()) : fail("");
  if (!parsed) return not_a(value, "an IP address");
  return *parsed;
}

// The back end knows the addresses one by one, and packets from loopback go nowhere but to the
// node itself (net.ipv4.conf.all.route_localnet is 0; IPv6 has no such choice).
auto node_port_addresses(std::vector<Prefix> cluster_cidrs) {
  const auto decode = [cluster_cidrs =
                           std::move(cluster_cidrs)](const json& value) -> Result<IpAddress> {
    WEFT_ASSIGN(const IpAddress address, ip_address(value));
    if (address.is_unspecified() || address.is_loopback() || address.is_multicast())
      return not_a(value, "an address that other hosts can reach this node by");
    WEFT_TRY(check_family(address.family(), cluster_cidrs, value));
    return address;
  };
  return list_of(decode);
}

Result<std::string> transport(const json& value) {
  const std::vector<std::string_view> names = podnet::transport_names();
  for (const std::string_view name : names)
    if (value == name) return std::string(name);
  return not_a(value, fmt::format("{}", fmt::join(names, " or ")));
}

Result<std::chrono::milliseconds> duration(const json& value) {
  if (value == 0) return std::chrono::milliseconds(0);
  const auto parsed =
      value.is_string() ? parse_duration(value.get_ref<const std::string&>()) : fail("");
  if (!parsed) return not_a(value, "a duration (like 30s, 500ms or 1m30s; 0 = off)");
  return *parsed;
}

Result<log::Level> log_level(const json& value) {
  const auto level =
      value.is_string() ? log::parse_level(value.get_ref<const std::string&>()) : std::nullopt;
  if (!level) return not_a(value, "debug, info, warning or error");
  return *level;
}

Result<std::vector<Prefix>> some_networks(const json& value) {
  if (value == json::array()) return not_a(value, "a list with at least one CIDR");
  return networks_apart_from({}, "")(value);
}

auto service_networks(std::vector<Prefix> cluster_cidrs) {
  return
      [cluster_cidrs = std::move(cluster_cidrs)](const json& value) -> Result<std::vector<Prefix>> {
        WEFT_ASSIGN(std::vector<Prefix> networks,
                    networks_apart_from(cluster_cidrs, "spec.clusterCIDRs")(value));
        for (std::size_t i = 0; i < networks.size(); ++i)
          WEFT_TRY(check_family(networks[i].family(), cluster_cidrs, value[i]));
        return networks;
      };
}

void read_spec(Fields spec, Config& config) {
  spec.required("nodeName", config.node_name, node_name);
  spec.required("clusterCIDRs", config.cluster_cidrs, some_networks);
  spec.optional("serviceCIDRs", config.service_cidrs, service_networks(config.cluster_cidrs));
  spec.optional("stateDirectory", config.state_directory, absolute_path);
  spec.optional("controlSocket", config.control_socket, socket_path);
  spec.optional("manifestDirectory", config.manifest_directory, absolute_path);

  Fields pod_network = spec.object("podNetwork");
  pod_network.optional("transport", config.pod_network.transport, transport);
  pod_network.optional("mtu", config.pod_network.mtu, mtu);
  pod_network.optional("masquerade", config.pod_network.masquerade, boolean);
  pod_network.done();

  Fields cni = spec.object("cni");
  cni.optional("configurationDirectory", config.cni.configuration_directory, absolute_path);
  cni.optional("dataDirectory", config.cni.data_directory, absolute_path);
  cni.done();

  Fields services = spec.object("services");
  services.optional("backend", config.services.backend, exactly("nftables"));
  services.optional("nodePortAddresses", config.services.node_port_addresses,
                    node_port_addresses(config.cluster_cidrs));
  services.done();

  spec.optional("resyncPeriod", config.resync_period, duration);
  spec.optional("watchKernel", config.watch_kernel, boolean);
  spec.optional("logLevel", config.log_level, log_level);
  spec.done();
}

Result<cluster::Document> read_document(std::string_view text, std::string_view file) {
  if (cluster::is_json(text)) return cluster::parse_json(text, file);
  WEFT_ASSIGN(std::vector<cluster::Document> documents, cluster::parse_yaml(text, file));
  if (documents.empty()) return fail(fmt::format("{}: is empty", file));
  if (documents.size() > 1)
    return fail(fmt::format("{}:{}: a second document; one is the whole configuration", file,
                            documents[1].line));
  return std::move(documents.front());
}

}  // namespace

Result<Config> parse_config(std::string_view text, std::string_view file) {
  WEFT_ASSIGN(const cluster::Document document, read_document(text, file));
  Config config;
  std::optional<Error> error;
  Fields top(document, "", error);
  std::string constant;
  top.required("apiVersion", constant, exactly("weft.dev/v1alpha1"));
  top.required("kind", constant, exactly("AgentConfiguration"));
  read_spec(top.object("spec"), config);
  top.done();
  if (error) return Failure(std::move(*error));
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

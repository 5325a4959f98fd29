// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/host_local_config.h"

#include <algorithm>
#include <array>

#include "cni/result_json.h"
#include "cni/version.h"

namespace weft::cni {
namespace {

using ipam::RangeSet;
using ipam::RangeSpec;

// The keys that one of these plugins may be meant by; Kubernetes' own come with IgnoreUnknown.
constexpr std::array<std::string_view, 3> kKnownArguments = {"IP", "GATEWAY", "MAC"};

// "10.1.0.7", or with a prefix length, which does not matter: the range's counts.
Result<IpAddress> parse_requested(std::string_view text) {
  WEFT_ASSIGN(const Prefix prefix, Prefix::parse(text));
  return prefix.address;
}

RangeSpec read_range(ObjectReader& reader) {
  const std::optional<Prefix> subnet = reader.prefix("subnet");
  if (!subnet) reader.fault({ErrorCode::kInvalidConfig, reader.path_of("subnet") + ": missing"});
  return {subnet.value_or(Prefix{}), reader.address("rangeStart"), reader.address("rangeEnd"),
          reader.address("gateway")};
}

void add_set(const std::vector<RangeSpec>& specs, const std::string& path, ObjectReader& owner,
             HostLocalConfig& config) {
  if (!owner.done()) return;
  Result<RangeSet> set = ipam::make_range_set(specs);
  if (set)
    config.ranges.push_back(std::move(*set));
  else
    owner.fault({ErrorCode::kInvalidConfig, path + ": " + set.error().message});
}

void read_range_sets(ObjectReader& owner, const char* key, HostLocalConfig& config) {
  owner.array(key, [&](const Json& set, const std::string& path) {
    if (!set.is_array())
      return owner.fault(
          {ErrorCode::kDecodeFailure, path + ": " + print_compact(set) + " is not an array"});
    std::vector<RangeSpec> specs;
    for (std::size_t index = 0; index < set.size(); ++index) {
      ObjectReader reader(set[index], path + "[" + std::to_string(index) + "]");
      specs.push_back(read_range(reader));
      owner.merge(reader);
    }
    add_set(specs, path, owner, config);
  });
}

// The form from before there were range sets.
void read_single_range(ObjectReader& ipam, const Json& json, HostLocalConfig& config) {
  if (!json.contains("subnet")) return;
  ObjectReader reader(json, "ipam");
  const RangeSpec spec = read_range(reader);
  ipam.merge(reader);
  add_set({spec}, "ipam", ipam, config);
}

void request(HostLocalConfig& config, ObjectReader& owner, const std::string& path,
             std::string_view text) {
  const Result<IpAddress> address = parse_requested(text);
  if (address)
    config.requested.push_back(*address);
  else
    owner.fault({ErrorCode::kInvalidConfig, path + ": " + address.error().message});
}

void read_requested(ObjectReader& owner, HostLocalConfig& config) {
  for (const std::string& text : owner.texts("ips"))
    request(config, owner, owner.path_of("ips"), text);
}

Outcome<> read_runtime(const Json& json, HostLocalConfig& config, bool ranges) {
  ObjectReader top(json, "");
  if (const Json* runtime = top.object("runtimeConfig")) {
    ObjectReader reader(*runtime, "runtimeConfig");
    if (ranges)
      read_range_sets(reader, "ipRanges", config);
    else
      read_requested(reader, config);
    top.merge(reader);
  }
  return top.done();
}

Outcome<> read_args(const Json& json, HostLocalConfig& config) {
  ObjectReader top(json, "");
  if (const Json* args = top.object("args")) {
    ObjectReader outer(*args, "args");
    if (const Json* cni = outer.object("cni")) {
      ObjectReader inner(*cni, "args.cni");
      read_requested(inner, config);
      outer.merge(inner);
    }
    top.merge(outer);
  }
  return top.done();
}

Outcome<> read_cni_args(std::string_view text, HostLocalConfig& config) {
  CNI_ASSIGN(const Arguments arguments, decode_arguments(text, kKnownArguments));
  const auto found = arguments.find("IP");
  if (found == arguments.end() || found->second.empty()) return {};
  const Result<IpAddress> address = parse_requested(found->second);
  if (!address)
    return fail(ErrorCode::kInvalidEnvironment, "CNI_ARGS: IP: " + address.error().message);
  config.requested.push_back(*address);
  return {};
}

Outcome<> read_ipam(const Json& json, HostLocalConfig& config) {
  ObjectReader reader(json, "ipam");
  config.data_directory = reader.text("dataDir");
  if (config.data_directory.empty()) config.data_directory = kHostLocalDirectory;
  config.resolv_conf = reader.text("resolvConf");
  reader.array("routes", [&](const Json& route, const std::string& path) {
    config.routes.push_back(read_route(route, path, reader));
  });
  read_single_range(reader, json, config);
  read_range_sets(reader, "ranges", config);
  return reader.done();
}

Outcome<> check_sets(const HostLocalConfig& config, std::string_view version) {
  if (config.ranges.empty())
    return fail(ErrorCode::kInvalidConfig, "ipam.ranges: no IP ranges specified");
  for (std::size_t i = 0; i < config.ranges.size(); ++i) {
    for (std::size_t j = i + 1; j < config.ranges.size(); ++j) {
      if (overlaps(config.ranges[i], config.ranges[j]))
        return fail(ErrorCode::kInvalidConfig,
                    "range set " + std::to_string(i) + " overlaps with " + std::to_string(j));
    }
  }
  const auto v4 = std::count_if(config.ranges.begin(), config.ranges.end(), [](const auto& set) {
    return set.front().subnet.family() == IpFamily::kIpv4;
  });
  const auto v6 = static_cast<std::ptrdiff_t>(config.ranges.size()) - v4;
  if ((v4 > 1 || v6 > 1) && !at_least(version, "0.3.0"))
    return fail(ErrorCode::kInvalidConfig, "CNI version " + std::string(version) +
                                               " does not support more than 1 address per family");
  return {};
}

Outcome<const Json*> find_ipam(const NetworkConfig& config) {
  ObjectReader top(config.json, "");
  const Json* ipam = top.object("ipam");
  CNI_TRY(top.done());
  if (ipam == nullptr) return fail(ErrorCode::kInvalidConfig, "ipam: missing");
  return ipam;
}

std::vector<std::string_view> words(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r";
  std::vector<std::string_view> found;
  for (std::size_t start = line.find_first_not_of(kSpace); start != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kSpace, start), line.size());
    found.push_back(line.substr(start, end - start));
    start = line.find_first_not_of(kSpace, end);
  }
  return found;
}

}  // namespace

Outcome<HostLocalConfig> decode_host_local(const NetworkConfig& config,
                                           std::string_view arguments) {
  CNI_ASSIGN(const Json* ipam, find_ipam(config));
  HostLocalConfig decoded;
  CNI_TRY(read_cni_args(arguments, decoded));
  CNI_TRY(read_args(config.json, decoded));
  CNI_TRY(read_runtime(config.json, decoded, /*ranges=*/false));
  CNI_TRY(read_runtime(config.json, decoded, /*ranges=*/true));
  CNI_TRY(read_ipam(*ipam, decoded));
  CNI_TRY(check_sets(decoded, config.cni_version));
  return decoded;
}

Outcome<std::string> decode_data_directory(const NetworkConfig& config) {
  CNI_ASSIGN(const Json* ipam, find_ipam(config));
  ObjectReader reader(*ipam, "ipam");
  std::string directory = reader.text("dataDir");
  CNI_TRY(reader.done());
  return directory.empty() ? std::string(kHostLocalDirectory) : directory;
}

Dns parse_resolv_conf(std::string_view text) {
  Dns dns;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::vector<std::string_view> fields = words(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (fields.size() < 2 || fields[0].front() == '#' || fields[0].front() == ';') continue;
    if (fields[0] == "nameserver") dns.nameservers.emplace_back(fields[1]);
    if (fields[0] == "domain") dns.domain = fields[1];
    if (fields[0] == "search")
      dns.search.insert(dns.search.end(), fields.begin() + 1, fields.end());
    if (fields[0] == "options")
      dns.options.insert(dns.options.end(), fields.begin() + 1, fields.end());
  }
  return dns;
}

}  // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
//
// For tests: a node and pods, all network namespaces of this process, wired by executing the
// plugins as a runtime does. Everything goes with the test.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/temporary_directory.h"
#include "cni/json.h"
#include "cni/runtime.h"
#include "linux/netns_fixture.h"

namespace weft::cni {

inline constexpr const char* kReferencePlugins = "/usr/lib/cni";

class ClusterFixture : public testing::Test {
 protected:
  ClusterFixture() {
    runtime_.plugin_directories = {WEFT_PLUGIN_DIRECTORY};
    runtime_.cache_directory = directory_ + "/cache";
    runtime_.host_netns = path_of(node_);
  }

  // A bridge plugin's object with host-local's ranges; `bridge_keys` and `ipam_keys` begin with a
  // comma.
  std::string bridge_json(const std::string& ranges, const std::string& bridge_keys = {},
                          const std::string& ipam_keys = {}) const {
    return R"({"type":"bridge","isDefaultGateway":true,"hairpinMode":true,"mtu":1450)" +
           bridge_keys + R"(,"ipam":{"type":"host-local","dataDir":")" + directory_ +
           R"(/networks","ranges":)" + ranges + ipam_keys + "}}";
  }
  static ConfigurationList network(const std::string& plugins,
                                   const std::string& version = "1.1.0") {
    return parse_configuration_list(R"({"cniVersion":")" + version +
                                    R"(","name":"net","plugins":[)" + plugins + "]}")
        .value();
  }
  static Attachment attachment(const std::string& id, const Netns& pod) {
    return {id, path_of(pod), "eth0", {}, {}};
  }

  // Plugins by name, each from one of the two directories, found in one place.
  std::string mixture(const std::vector<std::pair<std::string, std::string>>& plugins) const {
    const std::filesystem::path path = directory_ + "/mixture";
    std::filesystem::create_directories(path);
    for (const auto& [name, from] : plugins) {
      std::filesystem::remove(path / name);
      std::filesystem::create_symlink(std::filesystem::path(from) / name, path / name);
    }
    return path.string();
  }
  static bool reference_is_there() {
    return std::filesystem::exists(std::string(kReferencePlugins) + "/bridge");
  }

  static ShellOutput run_in(const Netns& netns, const std::string& command) {
    const NetnsGuard inside = NetnsGuard::enter(netns).value();
    return shell(command);
  }
  static std::string in(const Netns& netns, const std::string& command) {
    const ShellOutput output = run_in(netns, command);
    EXPECT_EQ(output.status, 0) << command << ": " << output.text;
    return output.text;
  }
  static Json json_in(const Netns& netns, const std::string& command) {
    return parse_json(in(netns, command)).value_or(Json::array());
  }
  static bool can_ping(const Netns& from, const std::string& address) {
    return run_in(from, "ping -c1 -W1 " + address).status == 0;
  }

  std::set<std::string> links(const Netns& netns) const {
    std::set<std::string> names;
    for (const Json& link : json_in(netns, "ip -j link")) names.insert(link["ifname"]);
    return names;
  }
  // The files of host-local's store that hold addresses.
  std::set<std::string> reserved() const {
    std::set<std::string> names;
    const std::string path = directory_ + "/networks/net";
    if (!std::filesystem::exists(path)) return names;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      const std::string name = entry.path().filename();
      if (name != "lock" && !name.starts_with("last_reserved_ip.")) names.insert(name);
    }
    return names;
  }
  std::set<std::string> cached() const {
    std::set<std::string> names;
    if (!std::filesystem::exists(directory_ + "/cache/results")) return names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/cache/results"))
      names.insert(entry.path().filename());
    return names;
  }

  const TemporaryDirectory temporary_{};
  const std::string directory_ = temporary_.path();
  Netns node_ = fresh_netns();
  Netns pod_ = fresh_netns();
  Runtime runtime_{};
};

}  // namespace weft::cni

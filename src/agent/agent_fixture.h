// SPDX-License-Identifier: Apache-2.0
//
// For tests: a private network namespace with a fake underlay (a veth pair that carries node1's
// InternalIP), a temporary directory with a three-node cluster's manifests, and a real agent in a
// process of its own, which may be killed. Everything goes with the fixture.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "agent/report.h"
#include "agent/run.h"
#include "base/temporary_directory.h"
#include "linux/netns_fixture.h"

namespace weft::agent {

class AgentFixture : public NetnsFixture {
 protected:
  static constexpr std::chrono::seconds kPatience{10};

  AgentFixture() {
    std::filesystem::create_directory(directory_ + "/manifests");
    sh("ip link set lo up; ip link add eth0 type veth peer name far; ip link set eth0 up;"
       " ip link set far up; ip address add 172.31.0.11/24 dev eth0");
    for (const char* node : {"1", "2", "3"}) write_node(node);
    write_manifest("web.yaml", kWeb);
  }

  ~AgentFixture() override { kill_agent(); }

  // Renamed into place, as writers should.
  void write_manifest(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/.new") << text;
    std::filesystem::rename(directory_ + "/.new", directory_ + "/manifests/" + name);
  }
  void remove_manifest(const std::string& name) const {
    std::filesystem::remove(directory_ + "/manifests/" + name);
  }
  // `cidrs`: the number in its pod CIDRs, if not its own.
  void write_node(const std::string& number, const std::string& address = "",
                  const std::string& cidrs = "") const {
    const std::string& third = cidrs.empty() ? number : cidrs;
    write_manifest("node" + number + ".yaml",
                   "apiVersion: v1\nkind: Node\nmetadata: {name: node" + number +
                       "}\nspec: {podCIDRs: [10.244." + third + ".0/24, \"fd00:10:244:" + third +
                       "::/64\"]}\nstatus: {addresses: [{type: InternalIP, address: " +
                       (address.empty() ? "172.31.0.1" + number : address) + "}]}\n");
  }

  // `settings`: further lines of the configuration's spec.
  void write_config(const std::string& settings = "") const {
    std::ofstream(directory_ + "/agent.yaml")
        << "apiVersion: weft.dev/v1alpha1\nkind: AgentConfiguration\nspec:\n  nodeName: node1\n"
        << "  stateDirectory: " << directory_ << "/state\n  controlSocket: " << socket()
        << "\n  manifestDirectory: " << directory_ << "/manifests\n"
        << "  clusterCIDRs: [10.244.0.0/16, \"fd00:10:244::/56\"]\n"
        << "  serviceCIDRs: [10.96.0.0/16, \"fd00:10:96::/112\"]\n"
        << "  cni: {configurationDirectory: " << directory_ << "/cni, dataDirectory: " << directory_
        << "/networks}\n"
        << settings;
  }

  void start_agent() {
    agent_ = ::fork();
    if (agent_ != 0) return;
    // Its log is read only when a test fails.
    if (std::freopen((directory_ + "/log").c_str(), "a", stderr) == nullptr) ::_exit(99);
    ::_exit(run(directory_ + "/agent.yaml"));
  }
  // Kills it as nothing could prepare for.
  void kill_agent() {
    if (agent_ <= 0) return;
    ::kill(agent_, SIGKILL);
    ::waitpid(agent_, nullptr, 0);
    agent_ = -1;
  }
  // The exit code it ends with by itself.
  int wait_for_agent() {
    int status = 0;
    ::waitpid(std::exchange(agent_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void start_and_settle() {
    start_agent();
    ASSERT_TRUE(eventually([&] { return verify().exit_code == 0; })) << verify().text << log();
  }

  Report verify() const { return report_verify(socket(), false); }
  Report repair() const { return report_repair(socket(), false); }
  std::string status() const { return report_status(socket(), false).text; }
  std::string socket() const { return directory_ + "/run/agent.sock"; }
  std::string log() const {
    std::ifstream file(directory_ + "/log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // What of the node is ours, as the standard tools see it; words sorted, because the order of a
  // map's elements is a hash's, and without what a link that is made anew has anew, or what follows
  // a second later (the carrier).
  static std::vector<std::string> snapshot() {
    static constexpr const char* kCommand =
        "for l in cni0 weft.1; do ip -o address show dev $l scope global | sed 's/^[0-9]*: //'; "
        "done;"
        " { ip link show cni0; ip -d link show weft.1; } |"
        " sed 's/^[0-9]*: //; s/<[^>]*[<,]UP[^>]*>/<UP>/; s/ state [A-Z]*//';"
        " ip -o link show master cni0 | cut -d: -f2;"
        " ip -d link show cni0 | grep -o 'stp_state .';"
        " ip route show proto 87; ip -6 route show proto 87;"
        " ip neigh show dev weft.1 nud permanent; ip -6 neigh show dev weft.1 nud permanent;"
        " bridge fdb show dev weft.1 | grep dst;"
        " nft -s list ruleset | tr ',' ' ';"
        " cd /proc/sys/net; grep . ipv4/ip_forward ipv6/conf/all/forwarding bridge/bridge-nf-call-*"
        " ipv4/conf/all/send_redirects ipv4/conf/eth0/send_redirects";
    std::istringstream text(shell(kCommand).text);
    std::vector<std::string> words{std::istream_iterator<std::string>(text), {}};
    std::sort(words.begin(), words.end());
    return words;
  }

  // "" when they are the same.
  static std::string difference(const std::vector<std::string>& wanted,
                                const std::vector<std::string>& seen) {
    std::vector<std::string> missing, extra;
    std::set_difference(wanted.begin(), wanted.end(), seen.begin(), seen.end(),
                        std::back_inserter(missing));
    std::set_difference(seen.begin(), seen.end(), wanted.begin(), wanted.end(),
                        std::back_inserter(extra));
    std::string out;
    for (const std::string& word : missing) out += "-" + word + " ";
    for (const std::string& word : extra) out += "+" + word + " ";
    return out;
  }

  static bool eventually(const std::function<bool()>& condition,
                         std::chrono::milliseconds patience = kPatience) {
    // An emulated machine takes about ten times as long for everything.
    const auto end =
        std::chrono::steady_clock::now() + patience * (std::getenv("WEFT_VM") != nullptr ? 10 : 1);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  static constexpr const char* kWeb = R"(apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec:
  type: NodePort
  clusterIP: 10.96.0.10
  clusterIPs: [10.96.0.10, "fd00:10:96::10"]
  selector: {app: web}
  ports: [{name: http, port: 80, nodePort: 30080}, {name: dns, port: 53, protocol: UDP}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-4, namespace: default, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.244.1.2]}, {addresses: [10.244.2.2]}]
ports: [{name: http, port: 8080}, {name: dns, port: 5353, protocol: UDP}]
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: default}
spec: {clusterIP: 10.96.0.11, clusterIPs: [10.96.0.11], ports: [{port: 80}]}
)";

  const TemporaryDirectory temporary_{};
  const std::string directory_ = temporary_.path();
  pid_t agent_ = -1;
};

}  // namespace weft::agent

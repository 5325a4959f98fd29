// SPDX-License-Identifier: Apache-2.0
//
// bridge: ADD looks first (is the pod's interface name free, is there a bridge), then takes an
// address, then writes: one batch on the host that makes the pair with the pod's end in place under
// its final name, one batch in the pod. Whatever fails, what this ADD made is taken back.
#include <linux/if_bridge.h>
#include <linux/netlink.h>

#include <cerrno>
#include <optional>

#include "cni/delegate.h"
#include "cni/plugins/bridge_config.h"
#include "cni/plugins/bridge_device.h"
#include "cni/plugins/bridge_plan.h"
#include "cni/plugins/plugins.h"
#include "cni/plugins/pod_namespace.h"
#include "cni/plugins/wait.h"
#include "linux/netlink/link.h"
#include "tables/kernel_tables.h"

namespace weft::cni {
namespace {

constexpr unsigned kNameAttempts = 10;
constexpr std::uint8_t kHostMac = 0xfe;
constexpr std::uint8_t kPodMac = 0x0a;

// One pod on its way in. The destructor takes back what was not kept.
class Wiring {
 public:
  Wiring(const Request& request, BridgeConfig config, tables::KernelTables& host)
      : request_(request), config_(std::move(config)), host_(host) {}
  Wiring(const Wiring&) = delete;
  Wiring& operator=(const Wiring&) = delete;
  ~Wiring();

  Outcome<CniResult> add();

 private:
  Outcome<CniResult> take_addresses();
  Outcome<PodTables> make_pair(const CniResult& result);
  PodNames names_for(const CniResult& result, unsigned attempt) const;
  Result<bool> try_make_pair(const PodTables& tables);
  Outcome<netlink::Link> wait_for_port();
  Outcome<std::vector<Interface>> interfaces(const netlink::Link& bridge);

  const Request& request_;
  BridgeConfig config_;
  tables::KernelTables& host_;
  bool asked_ipam_ = false;
  bool made_pair_ = false;
  bool kept_ = false;
  PodNames names_{};
};

Wiring::~Wiring() {
  if (kept_) return;
  // The error that brought us here is the one to tell.
  if (made_pair_) {
    netlink::Batch batch;
    netlink::put_link_removal(batch, names_.host_link);
    (void)host_.socket().run(batch);
  }
  if (asked_ipam_) (void)delegate_del(request_, config_.ipam_type);
}

Outcome<CniResult> Wiring::add() {
  CNI_ASSIGN(PodNamespace pod, PodNamespace::open(request_.environment.netns));
  CNI_TRY(pod.require_free(request_.environment.ifname));
  CNI_ASSIGN(const netlink::Link bridge, ensure_bridge(host_.socket(), config_));
  CNI_ASSIGN(CniResult result, take_addresses());
  if (config_.is_gateway)
    CNI_TRY(ensure_gateways(host_.socket(), bridge, config_, gateway_addresses(result)));
  CNI_ASSIGN(const PodTables tables, make_pair(result));
  CNI_TRY(pod.write(tables));
  CNI_ASSIGN(result.interfaces, interfaces(bridge));
  CNI_TRY(pod.wait_until_heard(tables));
  kept_ = true;
  return result;
}

Outcome<CniResult> Wiring::take_addresses() {
  if (config_.ipam_type.empty()) return CniResult{.dns = config_.dns};
  asked_ipam_ = true;  // a delegate whose ADD failed is told to DEL too (SPEC.md, section 4)
  CNI_ASSIGN(CniResult ipam, delegate_add(request_, config_.ipam_type));
  return complete(std::move(ipam), config_);
}

PodNames Wiring::names_for(const CniResult& result, unsigned attempt) const {
  const Environment& environment = request_.environment;
  PodNames names{host_link_name(environment.container_id, environment.ifname, attempt),
                 environment.ifname,
                 environment.netns,
                 {},
                 {}};
  names.host_mac = named_mac(kHostMac, names.host_link);
  names.pod_mac = config_.mac           ? *config_.mac
                  : !result.ips.empty() ? pod_mac(result.ips.front().address.address)
                                        : named_mac(kPodMac, names.host_link);
  return names;
}

// Another attachment's name may hash to ours: then the next attempt's.
Outcome<PodTables> Wiring::make_pair(const CniResult& result) {
  for (unsigned attempt = 0; attempt < kNameAttempts; ++attempt) {
    names_ = names_for(result, attempt);
    CNI_ASSIGN(PodTables tables, plan_pod(config_, names_, result));
    CNI_ASSIGN(made_pair_, try_make_pair(tables));
    if (made_pair_) return tables;
  }
  return fail(ErrorCode::kInternal,
              "no free name for the host's end of the veth pair, last tried: " + names_.host_link);
}

// False when the host has a link of that name.
Result<bool> Wiring::try_make_pair(const PodTables& tables) {
  tables::LinkIndex links(host_.socket());
  WEFT_ASSIGN(const auto taken, links.find(names_.host_link));
  if (taken) return false;
  WEFT_ASSIGN(const std::vector<netlink::Refusal> refusals,
              host_.try_write(links, tables::additions<tables::LinkKind>(tables.host_links)));
  if (refusals.empty()) return true;
  const netlink::Refusal& first = refusals.front();
  if (first.index != 0) made_pair_ = true;  // it is there, for the destructor
  if (first.index == 0 && first.error.code == EEXIST) return false;
  return Failure(first.error);
}

// A port that does not forward yet loses what the pod sends.
Outcome<netlink::Link> Wiring::wait_for_port() {
  netlink::Link port;
  CNI_TRY(wait_until([&]() -> Outcome<bool> {
    CNI_ASSIGN(std::optional<netlink::Link> link, find_link(host_.socket(), names_.host_link));
    if (!link) return fail(ErrorCode::kInternal, names_.host_link + " went as it was made");
    port = std::move(*link);
    return port.port_state == BR_STATE_FORWARDING;
  }));
  return port;
}

Outcome<std::vector<Interface>> Wiring::interfaces(const netlink::Link& bridge) {
  CNI_ASSIGN(const netlink::Link host, wait_for_port());
  CNI_ASSIGN(const std::optional<netlink::Link> now, find_link(host_.socket(), bridge.index));
  const MacAddress bridge_mac = now && now->mac ? *now->mac : MacAddress{};
  return std::vector<Interface>{
      {.name = config_.bridge, .mac = bridge_mac.to_string(), .mtu = now ? now->mtu : bridge.mtu},
      {.name = names_.host_link, .mac = names_.host_mac.to_string(), .mtu = host.mtu},
      {.name = names_.ifname,
       .mac = names_.pod_mac.to_string(),
       .mtu = host.mtu,
       .sandbox = names_.netns}};
}

}  // namespace

Outcome<CniResult> bridge_add(const Request& request) {
  CNI_ASSIGN(BridgeConfig config, decode_bridge(request.config, request.environment.args));
  // Of the host's objects the plugin owns none but by their names.
  CNI_ASSIGN(tables::KernelTables host, tables::KernelTables::open(tables::Ownership()));
  return Wiring(request, std::move(config), host).add();
}

Outcome<> bridge_del(const Request& request) {
  CNI_ASSIGN(const std::string ipam_type, decode_ipam_type(request.config));
  if (std::optional<PodNamespace> pod = PodNamespace::open_if_there(request.environment.netns))
    CNI_TRY(pod->remove(request.environment.ifname));
  if (ipam_type.empty()) return {};
  return delegate_del(request, ipam_type);
}

}  // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
#include "tables/link_driver.h"

#include <cerrno>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tables/rtnetlink_write.h"
#include "tables/table_states.h"

namespace weft::tables {

namespace {

Result<LinkKind::Value> value_of(const netlink::Link& link, LinkIndex& links) {
  LinkKind::Value value;
  if (const auto* bridge = std::get_if<netlink::Bridge>(&link.type))
    value.type = Bridge{bridge->stp};
  if (std::holds_alternative<netlink::Veth>(link.type)) value.type = Veth{};
  if (const auto* vxlan = std::get_if<netlink::Vxlan>(&link.type)) {
    WEFT_ASSIGN(std::string device, links.name_of(vxlan->link));
    value.type = Vxlan{vxlan->vni, vxlan->port, vxlan->local, std::move(device), vxlan->ttl};
  }
  value.up = link.up.value_or(false);
  value.mtu = link.mtu;
  value.mac = link.mac;
  value.group = link.group;
  value.hairpin = link.hairpin;
  WEFT_ASSIGN(value.master, links.name_of(link.master.value_or(0)));
  return value;
}

// The type in the kernel's terms: indexes for names, an open file for a namespace's path.
struct TypeEncoder {
  LinkIndex& links;
  const LinkKind::Value& value;
  netlink::Link& link;

  Result<> operator()(std::monostate) const { return fail_errno("link " + link.name, ENODEV); }
  Result<> operator()(const Bridge& bridge) const {
    link.type = netlink::Bridge{bridge.stp};
    return {};
  }
  Result<> operator()(const Vxlan& vxlan) const {
    std::uint32_t device = 0;
    if (!vxlan.device.empty()) {
      WEFT_ASSIGN(device, links.index_of(vxlan.device));
    }
    link.type = netlink::Vxlan{vxlan.vni, vxlan.port, vxlan.local, device, vxlan.ttl};
    return {};
  }
  Result<> operator()(const Veth& veth) const {
    int netns = -1;
    if (!veth.peer_netns.empty()) {
      WEFT_ASSIGN(netns, links.open_netns(veth.peer_netns));
    }
    link.type = netlink::Veth{veth.peer_name, netns, veth.peer_mac, value.mtu, 0};
    return {};
  }
};

template <class T>
std::optional<T> where_different(const std::optional<T>& desired, const std::optional<T>& actual) {
  return desired == actual ? std::nullopt : desired;
}

Result<netlink::Link> link_to_create(const std::string& name, const LinkKind::Value& value,
                                     LinkIndex& links) {
  netlink::Link link;
  link.name = name;
  WEFT_TRY(std::visit(TypeEncoder{links, value, link}, value.type));
  link.up = value.up;
  link.mtu = value.mtu;
  link.mac = value.mac;
  link.group = value.group;
  link.hairpin = value.hairpin;
  if (value.master && !value.master->empty()) {
    WEFT_ASSIGN(link.master, links.index_of(*value.master));
  }
  return link;
}

void put_new_link(netlink::Link link, netlink::Batch& batch) {
  netlink::Link later;
  later.name = link.name;
  later.hairpin = std::exchange(link.hairpin, std::nullopt);
  // A bridge keeps to an MTU only when it is set on the finished bridge; one that was given at its
  // creation goes with the last port (br_mtu_auto_adjust).
  if (std::holds_alternative<netlink::Bridge>(link.type))
    later.mtu = std::exchange(link.mtu, std::nullopt);
  // A VXLAN link takes its UDP port when it comes up. One that cannot stays, down: to make and
  // remove it at every attempt would be told to the whole node each time.
  if (std::holds_alternative<netlink::Vxlan>(link.type))
    later.up = std::exchange(link.up, std::nullopt);
  netlink::put_link(batch, link);
  if (later.up || later.mtu || later.hairpin) netlink::put_link_change(batch, later);
}

Result<> change_in_place(const netlink::Link& actual, const LinkKind::Value& from,
                         const LinkKind::Value& to, LinkIndex& links, netlink::Batch& batch) {
  netlink::Link link;
  link.index = actual.index;
  link.name = actual.name;
  link.up = where_different(std::optional(to.up), std::optional(from.up));
  link.mtu = where_different(to.mtu, from.mtu);
  link.mac = where_different(to.mac, from.mac);
  link.group = where_different(to.group, from.group);
  link.hairpin = where_different(to.hairpin, from.hairpin);
  if (const auto master = where_different(to.master, from.master)) {
    link.master = 0;
    if (!master->empty()) {
      WEFT_ASSIGN(link.master, links.index_of(*master));
    }
    link.hairpin = to.hairpin;  // a port's setting does not move with it
  }
  if (link.up || link.mtu || link.mac || link.group || link.hairpin || link.master)
    netlink::put_link_change(batch, link);
  if (!LinkKind::same_type(to, from)) {
    WEFT_TRY(std::visit(TypeEncoder{links, to, link}, to.type));
    netlink::put_link_type_change(batch, link);
  }
  return {};
}

// The link that `value` describes, where someone has renamed it. Fails where another VXLAN link
// stands in the way of ours: the kernel allows one a VNI and port, and does not say which it has.
Result<std::optional<netlink::Link>> find_renamed(const LinkKind::Value& value, LinkIndex& links) {
  const auto* vxlan = std::get_if<Vxlan>(&value.type);
  if (!value.mac || (vxlan == nullptr && !std::holds_alternative<Bridge>(value.type)))
    return std::nullopt;
  WEFT_ASSIGN(const std::vector<netlink::Link> all, links.read_all());
  for (const netlink::Link& link : all) {
    const auto* other = std::get_if<netlink::Vxlan>(&link.type);
    const bool same_type =
        vxlan != nullptr ? other != nullptr : std::holds_alternative<netlink::Bridge>(link.type);
    if (same_type && link.mac == value.mac) return link;
    if (vxlan != nullptr && other != nullptr && other->vni == vxlan->vni &&
        other->port == vxlan->port && other->local.family() == vxlan->local.family())
      return fail("VNI " + std::to_string(vxlan->vni) + ", port " + std::to_string(vxlan->port) +
                      " is taken by link " + link.name,
                  EEXIST);
  }
  return std::nullopt;
}

// Leaves it down: some kernels rename only then.
void put_rename(const netlink::Link& link, const std::string& name, netlink::Batch& batch) {
  netlink::Link down;
  down.index = link.index;
  down.up = false;
  netlink::put_link_change(batch, down);
  netlink::put_link_rename(batch, link.index, name);
}

bool rests_on(const reconcile::Change<LinkKind>& change, const std::set<std::string>& links) {
  if (!change.value) return false;
  const auto* vxlan = std::get_if<Vxlan>(&change.value->type);
  return (vxlan != nullptr && links.contains(vxlan->device)) ||
         (change.value->master && links.contains(*change.value->master));
}

bool needs_remaking(const LinkKind::Value& desired, LinkKind::Value actual) {
  // These change in place.
  if (const auto* bridge = std::get_if<Bridge>(&desired.type))
    if (auto* other = std::get_if<Bridge>(&actual.type)) other->stp = bridge->stp;
  if (const auto* vxlan = std::get_if<Vxlan>(&desired.type))
    if (auto* other = std::get_if<Vxlan>(&actual.type)) other->ttl = vxlan->ttl;
  return !LinkKind::same_type(desired, actual);
}

// "Address already in use" does not say what is.
void name_taken_ports(const reconcile::Changes<LinkKind>& changes,
                      std::vector<reconcile::WriteFailure<LinkKind>>& failures) {
  for (auto& [key, error] : failures) {
    if (!key || error.code != EADDRINUSE) continue;
    for (const auto& change : changes) {
      if (change.key != *key || !change.value) continue;
      if (const auto* vxlan = std::get_if<Vxlan>(&change.value->type))
        error = std::move(error).in("UDP port " + std::to_string(vxlan->port) + " is taken");
    }
  }
}

// The pods' links that are no port of any bridge: none is meant to be.
Result<std::vector<netlink::Link>> detached_pods(LinkIndex& links, std::uint32_t group) {
  if (group == 0) return {};
  WEFT_ASSIGN(std::vector<netlink::Link> all, links.read_all());
  std::erase_if(all, [&](const netlink::Link& link) {
    return link.group != group || link.master != 0 ||
           !std::holds_alternative<netlink::Veth>(link.type);
  });
  return all;
}

}  // namespace

Result<> encode(const reconcile::Change<LinkKind>& change, LinkIndex& links, const Ownership&,
                netlink::Batch& batch) {
  if (!change.value) {
    netlink::put_link_removal(batch, change.key);
    return {};
  }
  WEFT_ASSIGN(std::optional<netlink::Link> actual, links.read(change.key));
  const bool named = actual.has_value();
  if (!named) {
    WEFT_ASSIGN(actual, find_renamed(*change.value, links));
  }
  if (actual) {
    WEFT_ASSIGN(LinkKind::Value from, value_of(*actual, links));
    if (!needs_remaking(*change.value, from)) {
      if (!named) {
        put_rename(*actual, change.key, batch);
        from.up = false;
      }
      return change_in_place(*actual, from, *change.value, links, batch);
    }
  }
  WEFT_ASSIGN(netlink::Link link, link_to_create(change.key, *change.value, links));
  if (actual) netlink::put_link_removal(batch, actual->index);
  put_new_link(std::move(link), batch);
  return {};
}

Result<LinkKind::Table> LinkDriver::read() {
  LinkIndex links(socket_);
  LinkKind::Table table;
  for (const std::string& name : ownership_.links) {
    WEFT_ASSIGN(const auto link, links.read(name));
    if (!link) continue;
    LinkKind::Value& value = table[name];
    WEFT_ASSIGN(value, value_of(*link, links));
    if (!std::holds_alternative<Bridge>(value.type)) continue;
    WEFT_ASSIGN(const std::vector<netlink::Link> detached,
                detached_pods(links, ownership_.port_group));
    for (const netlink::Link& pod : detached) value.missing_ports.push_back(pod.name);
  }
  return table;
}

void LinkDriver::write(const reconcile::Changes<LinkKind>& changes,
                       const reconcile::Desired<LinkKind>&, reconcile::WriteDone<LinkKind> done) {
  // What rests on a link that is made in the same write needs its index, and so a second batch.
  std::set<std::string> named;
  for (const auto& change : changes)
    if (change.value) named.insert(change.key);
  reconcile::Changes<LinkKind> first;
  reconcile::Changes<LinkKind> second;
  for (const auto& change : changes) (rests_on(change, named) ? second : first).push_back(change);

  std::vector<reconcile::WriteFailure<LinkKind>> failures;
  for (const auto* part : {&first, &second}) {
    LinkIndex links(socket_);
    write_batch<LinkKind>(
        socket_, *part,
        [&](std::vector<reconcile::WriteFailure<LinkKind>> more) {
          std::move(more.begin(), more.end(), std::back_inserter(failures));
        },
        [&](const auto& change, netlink::Batch& batch) {
          return encode(change, links, ownership_, batch);
        });
  }
  name_taken_ports(changes, failures);
  for (const auto& change : changes) {
    if (!change.value || !std::holds_alternative<Bridge>(change.value->type)) continue;
    Result<> attached = attach_pods(change.key);
    if (!attached) failures.push_back({change.key, std::move(attached.error())});
  }
  done(std::move(failures));
}

Result<> LinkDriver::attach_pods(const std::string& bridge) {
  LinkIndex links(socket_);
  WEFT_ASSIGN(const auto index, links.find(bridge));
  if (!index) return {};  // its own failure says why
  WEFT_ASSIGN(const std::vector<netlink::Link> detached,
              detached_pods(links, ownership_.port_group));
  netlink::Batch batch;
  std::vector<std::string_view> port_of;  // by message
  for (const netlink::Link& link : detached) {
    netlink::Link port;
    port.index = link.index;
    port.master = index;
    port.hairpin = true;  // as the CNI configuration list says
    netlink::put_link_change(batch, port);
    port_of.resize(batch.count(), link.name);
  }
  WEFT_ASSIGN(const std::vector<netlink::Refusal> refusals, socket_.execute(batch));
  for (const netlink::Refusal& refusal : refusals)
    if (!is_gone(refusal.error))
      return Failure(Error(refusal.error).in("port " + std::string(port_of[refusal.index])));
  return {};
}

}  // namespace weft::tables

template class weft::reconcile::TableState<weft::tables::LinkKind>;  // table_states.h

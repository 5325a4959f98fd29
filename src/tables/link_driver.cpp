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

namespace weft::tables {

namespace {

Result<LinkKind::Value> value_of(const netlink::Link& link, LinkIndex& links) {
  LinkKind::Value value;
  value.type = link.type;
  WEFT_ASSIGN(value.lower, links.name_of(link.lower));
  value.up = link.up.value_or(false);
  value.mtu = link.mtu;
  value.mac = link.mac;
  value.group = link.group;
  value.hairpin = link.hairpin;
  WEFT_ASSIGN(value.master, links.name_of(link.master.value_or(0)));
  return value;
}

template <class T>
std::optional<T> where_different(const std::optional<T>& desired, const std::optional<T>& actual) {
  return desired == actual ? std::nullopt : desired;
}

Result<netlink::Link> link_to_create(const std::string& name, const LinkKind::Value& value,
                                     LinkIndex& links) {
  if (std::holds_alternative<std::monostate>(value.type)) return fail_errno("link " + name, ENODEV);
  netlink::Link link;
  link.name = name;
  link.type = value.type;
  if (!value.lower.empty()) {
    WEFT_ASSIGN(link.lower, links.index_of(value.lower));
  }
  if (!value.peer_netns.empty()) {
    WEFT_ASSIGN(link.peer_netns, links.open_netns(value.peer_netns));
  }
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

// Leaves it down: some kernels rename only then.
void put_rename(const netlink::Link& link, const std::string& name, netlink::Batch& batch) {
  netlink::Link down;
  down.index = link.index;
  down.up = false;
  netlink::put_link_change(batch, down);
  netlink::put_link_rename(batch, link.index, name);
}

// Of `actual`, which has the values `from`, or those under another name.
Result<> change_in_place(const netlink::Link& actual, const std::string& name, LinkKind::Value from,
                         const LinkKind::Value& to, LinkIndex& links, netlink::Batch& batch) {
  const bool renamed = actual.name != name;
  if (renamed) from.up = false;
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
  if (renamed) put_rename(actual, name, batch);
  if (link.up || link.mtu || link.mac || link.group || link.hairpin || link.master)
    netlink::put_link_change(batch, link);
  if (!netlink::same(to.type, from.type)) {
    link.type = to.type;
    netlink::put_link_type_change(batch, link);
  }
  return {};
}

// The link that `value` describes, where someone has renamed it: a pair's MAC address does not
// tell, its peer has gone elsewhere. Fails where a link stands in the way that ours cannot be
// beside: the kernel would not say which.
Result<std::optional<netlink::Link>> find_renamed(const LinkKind::Value& value, LinkIndex& links) {
  if (!value.mac || std::holds_alternative<std::monostate>(value.type) ||
      netlink::is_pair(value.type))
    return std::nullopt;
  WEFT_ASSIGN(const std::vector<netlink::Link> all, links.read_all());
  for (const netlink::Link& link : all) {
    if (link.type.index() == value.type.index() && link.mac == value.mac) return link;
    const std::string taken = netlink::clash(value.type, link.type);
    if (!taken.empty()) return fail(taken + " is taken by link " + link.name, EEXIST);
  }
  return std::nullopt;
}

bool rests_on(const reconcile::Change<LinkKind>& change, const std::set<std::string>& links) {
  return change.value && (links.contains(change.value->lower) ||
                          (change.value->master && links.contains(*change.value->master)));
}

bool needs_remaking(const LinkKind::Value& desired, const LinkKind::Value& actual) {
  if (std::holds_alternative<std::monostate>(desired.type)) return false;
  return desired.lower != actual.lower || !netlink::changes_in_place(desired.type, actual.type);
}

// "Address already in use" does not say what is.
void name_taken_ports(const reconcile::Changes<LinkKind>& changes,
                      std::vector<reconcile::WriteFailure<LinkKind>>& failures) {
  for (auto& [key, error, half_done] : failures) {
    if (!key || error.code != EADDRINUSE) continue;
    for (const auto& change : changes) {
      if (change.key != *key || !change.value) continue;
      if (const auto port = netlink::udp_port(change.value->type))
        error = std::move(error).in("UDP port " + std::to_string(*port) + " is taken");
    }
  }
}

// The bridge itself is what it shall be, whatever becomes of its ports.
bool lacks_only_ports(const reconcile::Change<LinkKind>& change) {
  if (!change.previous) return false;
  LinkKind::Value bridge = *change.previous;
  bridge.missing_ports.clear();
  return LinkKind::same(*change.value, bridge);
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
  if (!actual) {
    WEFT_ASSIGN(actual, find_renamed(*change.value, links));
  }
  if (actual) {
    WEFT_ASSIGN(LinkKind::Value from, value_of(*actual, links));
    if (!needs_remaking(*change.value, from))
      return change_in_place(*actual, change.key, std::move(from), *change.value, links, batch);
  }
  WEFT_ASSIGN(const netlink::Link link, link_to_create(change.key, *change.value, links));
  if (actual) netlink::put_link_removal(batch, actual->index);
  netlink::put_link(batch, link);
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
    if (!std::holds_alternative<netlink::Bridge>(value.type)) continue;
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
    if (!change.value || !std::holds_alternative<netlink::Bridge>(change.value->type)) continue;
    auto failure = attach_pods(change.key);
    if (!failure) continue;
    failure->half_done = failure->half_done || !lacks_only_ports(change);
    failures.push_back(std::move(*failure));
  }
  done(std::move(failures));
}

// Half done: some were attached.
std::optional<LinkDriver::Failed> LinkDriver::attach_pods(const std::string& bridge) {
  LinkIndex links(socket_);
  const auto index = links.find(bridge);
  if (!index) return Failed{bridge, index.error()};
  if (!*index) return std::nullopt;  // its own failure says why
  const auto detached = detached_pods(links, ownership_.port_group);
  if (!detached) return Failed{bridge, detached.error()};
  netlink::Batch batch;
  std::vector<std::string_view> port_of;  // by message
  for (const netlink::Link& link : *detached) {
    netlink::Link port;
    port.index = link.index;
    port.master = *index;
    port.hairpin = true;  // as the CNI configuration list says
    netlink::put_link_change(batch, port);
    port_of.resize(batch.count(), link.name);
  }
  const auto refusals = socket_.execute(batch);
  if (!refusals) return Failed{bridge, refusals.error()};
  const bool half_done = refusals->size() < batch.count();
  for (const netlink::Refusal& refusal : *refusals)
    if (!is_gone(refusal.error))
      return Failed{bridge, Error(refusal.error).in("port " + std::string(port_of[refusal.index])),
                    half_done};
  return std::nullopt;
}

}  // namespace weft::tables

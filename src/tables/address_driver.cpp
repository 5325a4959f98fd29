// SPDX-License-Identifier: Apache-2.0
#include "tables/address_driver.h"

#include <linux/if_addr.h>

#include <cerrno>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "linux/netlink/address.h"

namespace weft::tables {

namespace {

// The kernel makes link-local addresses with duplicate address detection, we without.
bool is_kernels(const netlink::Address& address) {
  return address.prefix.address.is_v6() && address.prefix.address.is_link_local() &&
         (address.flags & IFA_F_NODAD) == 0;
}

bool is_ours(const netlink::Address& address) {
  return (address.flags & IFA_F_PERMANENT) != 0 && !is_kernels(address);
}

// What stands where one of `changes` shall: the same IPv6 address with another prefix length.
using Standing = std::map<std::pair<std::string, IpAddress>, netlink::Address>;

Result<Standing> find_standing(netlink::Socket& socket, LinkIndex& links,
                               const reconcile::Changes<AddressKind>& changes) {
  std::map<std::string, std::map<IpAddress, std::uint8_t>> wanted;  // by link: the prefix lengths
  for (const auto& change : changes)
    wanted[change.key.link][change.key.prefix.address] = change.key.prefix.length;
  Standing standing;
  for (const auto& [link, lengths] : wanted) {
    WEFT_ASSIGN(const std::uint32_t index, links.index_of(link));
    WEFT_ASSIGN(const auto addresses, netlink::list_addresses(socket, index));
    for (const netlink::Address& there : addresses) {
      const auto found = lengths.find(there.prefix.address);
      if (found != lengths.end() && found->second != there.prefix.length)
        standing.insert_or_assign({link, there.prefix.address}, there);
    }
  }
  return standing;
}

netlink::Address address_of(std::uint32_t link, const AddressKind::Key& key,
                            const AddressKind::Value& value) {
  netlink::Address address{.link = link, .prefix = key.prefix};
  if (value.without_prefix_route.value_or(false)) address.flags = IFA_F_NOPREFIXROUTE;
  address.scope = value.scope;
  address.broadcast = value.broadcast;
  address.peer = value.peer;
  return address;
}

AddressKind::Value value_of(const netlink::Address& address) {
  return {.scope = address.scope,
          .broadcast = address.broadcast,
          .peer = address.peer,
          .without_prefix_route = (address.flags & IFA_F_NOPREFIXROUTE) != 0};
}

// One that differs goes first: the kernel changes little of an address in place.
void put_change(const reconcile::Change<AddressKind>& change, std::uint32_t link,
                netlink::Batch& batch) {
  const bool goes =
      change.previous && (!change.value || !AddressKind::same(*change.value, *change.previous));
  if (goes || !change.value)
    netlink::put_address_removal(
        batch,
        address_of(link, change.key, change.previous ? *change.previous : AddressKind::Value()));
  if (change.value) netlink::put_address(batch, address_of(link, change.key, *change.value));
}

}  // namespace

Result<> read_entries(netlink::Socket& socket, LinkIndex& links, const Ownership& ownership,
                      AddressKind::Table& table) {
  return each_link(links, ownership, [&](const std::string& name, std::uint32_t index) -> Result<> {
    WEFT_ASSIGN(const auto addresses, netlink::list_addresses(socket, index));
    for (const netlink::Address& address : addresses)
      if (is_ours(address)) table.try_emplace({name, address.prefix}, value_of(address));
    return {};
  });
}

Result<> encode(const reconcile::Change<AddressKind>& change, LinkIndex& links, const Ownership&,
                netlink::Batch& batch) {
  return on_link(change, links, [&](std::uint32_t index) { put_change(change, index, batch); });
}

void AddressDriver::write(const reconcile::Changes<AddressKind>& changes,
                          const reconcile::Desired<AddressKind>&,
                          reconcile::WriteDone<AddressKind> done) {
  LinkIndex links(socket_);
  std::vector<reconcile::WriteFailure<AddressKind>> failures;
  write_batch<AddressKind>(
      socket_, changes, [&](auto refused) { failures = std::move(refused); },
      [&](const auto& change, netlink::Batch& batch) {
        return on_link(change, links, [&](std::uint32_t index) {
          if (change.value && !change.previous)
            netlink::put_new_address(batch, address_of(index, change.key, *change.value));
          else
            put_change(change, index, batch);
        });
      });
  const Again<AddressKind> there = take_failed<AddressKind>(
      changes, failures,
      [](const auto& change, const Error& error) { return change.value && error.code == EEXIST; });
  if (!there.changes.empty()) replace(there, links, failures);
  done(std::move(failures));
}

void AddressDriver::replace(const Again<AddressKind>& there, LinkIndex& links,
                            std::vector<reconcile::WriteFailure<AddressKind>>& failures) {
  const auto standing = find_standing(socket_, links, there.changes);
  write_again<AddressKind>(
      socket_, there, failures, [&](const auto& change, netlink::Batch& batch) -> Result<> {
        if (!standing) return Failure(standing.error());
        const auto found = standing->find({change.key.link, change.key.prefix.address});
        if (found != standing->end()) netlink::put_address_removal(batch, found->second);
        return encode(change, links, ownership_, batch);
      });
}

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "tables/address_driver.h"

#include <linux/if_addr.h>

#include <cerrno>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "linux/netlink/address.h"
#include "tables/rtnetlink_write.h"

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

Result<> encode_new(const reconcile::Change<AddressKind>& change, LinkIndex& links,
                    netlink::Batch& batch) {
  WEFT_ASSIGN(const std::uint32_t index, links.index_of(change.key.link));
  netlink::put_new_address(batch, {index, change.key.prefix, 0});
  return {};
}

}  // namespace

Result<> encode(const reconcile::Change<AddressKind>& change, LinkIndex& links,
                netlink::Batch& batch) {
  WEFT_ASSIGN(const auto index, links.find(change.key.link));
  if (!index && !change.value) return {};  // gone with its link
  if (!index) return fail_errno("link " + change.key.link, ENODEV);
  const netlink::Address address{*index, change.key.prefix, 0};
  if (change.value)
    netlink::put_address(batch, address);
  else
    netlink::put_address_removal(batch, address);
  return {};
}

Result<AddressKind::Table> AddressDriver::read() {
  LinkIndex links(socket_);
  AddressKind::Table table;
  for (const std::string& name : links_) {
    WEFT_ASSIGN(const auto index, links.find(name));
    if (!index) continue;
    WEFT_ASSIGN(const auto addresses, netlink::list_addresses(socket_, *index));
    for (const netlink::Address& address : addresses)
      if (is_ours(address)) table.try_emplace({name, address.prefix});
  }
  return table;
}

void AddressDriver::write(const reconcile::Changes<AddressKind>& changes,
                          const reconcile::Desired<AddressKind>&,
                          reconcile::WriteDone<AddressKind> done) {
  LinkIndex links(socket_);
  std::vector<reconcile::WriteFailure<AddressKind>> failures;
  write_batch<AddressKind>(
      socket_, changes, [&](auto refused) { failures = std::move(refused); },
      [&](const auto& change, netlink::Batch& batch) {
        const bool is_new = change.value && !change.previous;
        return is_new ? encode_new(change, links, batch) : encode(change, links, batch);
      });
  const auto there = take_failed<AddressKind>(
      changes, failures,
      [](const auto& change, const Error& error) { return change.value && error.code == EEXIST; });
  if (!there.empty()) replace(there, links, failures);
  done(std::move(failures));
}

void AddressDriver::replace(const reconcile::Changes<AddressKind>& changes, LinkIndex& links,
                            std::vector<reconcile::WriteFailure<AddressKind>>& failures) {
  const auto standing = find_standing(socket_, links, changes);
  write_batch<AddressKind>(
      socket_, changes,
      [&](auto refused) {
        std::move(refused.begin(), refused.end(), std::back_inserter(failures));
      },
      [&](const auto& change, netlink::Batch& batch) -> Result<> {
        if (!standing) return Failure(standing.error());
        const auto found = standing->find({change.key.link, change.key.prefix.address});
        if (found != standing->end()) netlink::put_address_removal(batch, found->second);
        return encode(change, links, batch);
      });
}

}  // namespace weft::tables

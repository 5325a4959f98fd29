// SPDX-License-Identifier: Apache-2.0
#include "tables/address_driver.h"

#include <linux/if_addr.h>

#include <cerrno>

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

// An IPv6 address stands once on a link, and asking for it with another prefix length is
// acknowledged and changes nothing (inet6_addr_modify): so what is there goes first.
Result<> put_removal_of_other_lengths(netlink::Socket& socket, std::uint32_t link,
                                      const Prefix& wanted, netlink::Batch& batch) {
  if (!wanted.address.is_v6()) return {};
  WEFT_ASSIGN(const auto addresses, netlink::list_addresses(socket, link));
  for (const netlink::Address& there : addresses)
    if (there.prefix.address == wanted.address && there.prefix.length != wanted.length)
      netlink::put_address_removal(batch, there);
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
  const auto put = [&](const auto& change, netlink::Batch& batch) -> Result<> {
    if (change.value) {
      WEFT_ASSIGN(const auto index, links.find(change.key.link));
      if (index) WEFT_TRY(put_removal_of_other_lengths(socket_, *index, change.key.prefix, batch));
    }
    return encode(change, links, batch);
  };
  write_batch<AddressKind>(socket_, changes, done, put);
}

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "tables/fdb_driver.h"

#include <linux/neighbour.h>

#include <variant>

#include "linux/netlink/fdb.h"

namespace weft::tables {

Result<> read_entries(netlink::Socket& socket, LinkIndex& links, const Ownership& ownership,
                      FdbKind::Table& table) {
  for (const std::string& name : ownership.links) {
    WEFT_ASSIGN(const auto link, links.read(name));
    if (!link || !std::holds_alternative<netlink::Vxlan>(link->type)) continue;
    WEFT_ASSIGN(const auto entries, netlink::list_fdb(socket, link->index));
    for (const netlink::FdbEntry& entry : entries)
      if (entry.self && (entry.state & NUD_PERMANENT) != 0)
        table[{name, entry.mac}] = {entry.remote};
  }
  return {};
}

Result<> encode(const reconcile::Change<FdbKind>& change, LinkIndex& links, const Ownership&,
                netlink::Batch& batch) {
  return on_link(change, links, [&](std::uint32_t index) {
    netlink::FdbEntry entry;
    entry.link = index;
    entry.mac = change.key.mac;
    if (!change.value) return netlink::put_fdb_removal(batch, entry);
    entry.remote = change.value->remote;
    netlink::put_fdb_entry(batch, entry);
  });
}

}  // namespace weft::tables

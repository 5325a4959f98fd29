// SPDX-License-Identifier: Apache-2.0
#include "tables/fdb_driver.h"

#include <linux/neighbour.h>

#include "linux/netlink/fdb.h"
#include "tables/rtnetlink_write.h"

namespace weft::tables {

Result<> encode(const reconcile::Change<FdbKind>& change, LinkIndex& links, netlink::Batch& batch) {
  WEFT_ASSIGN(const auto index, links.find(change.key.link));
  if (!index && !change.value) return {};  // gone with its link
  if (!index) return fail_errno("link " + change.key.link, ENODEV);
  netlink::FdbEntry entry;
  entry.link = *index;
  entry.mac = change.key.mac;
  if (change.value) {
    entry.remote = change.value->remote;
    netlink::put_fdb_entry(batch, entry);
  } else {
    netlink::put_fdb_removal(batch, entry);
  }
  return {};
}

Result<FdbKind::Table> FdbDriver::read() {
  LinkIndex links(socket_);
  FdbKind::Table table;
  for (const std::string& name : links_) {
    WEFT_ASSIGN(const auto index, links.find(name));
    if (!index) continue;
    WEFT_ASSIGN(const auto entries, netlink::list_fdb(socket_, *index));
    for (const netlink::FdbEntry& entry : entries)
      if (entry.self && (entry.state & NUD_PERMANENT) != 0)
        table[{name, entry.mac}] = {entry.remote};
  }
  return table;
}

void FdbDriver::write(const reconcile::Changes<FdbKind>& changes,
                      const reconcile::Desired<FdbKind>&, reconcile::WriteDone<FdbKind> done) {
  LinkIndex links(socket_);
  write_batch<FdbKind>(socket_, changes, done, [&](const auto& change, netlink::Batch& batch) {
    return encode(change, links, batch);
  });
}

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/fdb.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

namespace weft::netlink {

namespace {

ndmsg header_of(std::uint32_t link) {
  ndmsg header{};
  header.ndm_family = AF_BRIDGE;
  header.ndm_ifindex = static_cast<int>(link);
  return header;
}

}  // namespace

void put_fdb_entry(Batch& batch, const FdbEntry& entry) {
  ndmsg header = header_of(entry.link);
  header.ndm_flags = NTF_SELF;
  header.ndm_state = NUD_PERMANENT;
  batch.add(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE)
      .header(header)
      .mac(NDA_LLADDR, entry.mac)
      .address(NDA_DST, entry.remote);
}

void put_fdb_removal(Batch& batch, const FdbEntry& entry) {
  ndmsg header = header_of(entry.link);
  header.ndm_flags = NTF_SELF;
  // Without the remote: all there is of this MAC address.
  batch.add(RTM_DELNEIGH, 0).header(header).mac(NDA_LLADDR, entry.mac);
}

Result<std::vector<FdbEntry>> list_fdb(Socket& socket, std::uint32_t link) {
  Batch request;
  request.add(RTM_GETNEIGH, 0).header(header_of(link));
  std::vector<FdbEntry> entries;
  const auto take = [&](const MessageView& message) {
    const FdbEntry entry = parse_fdb_entry(message);
    if (entry.link == link) entries.push_back(entry);
  };
  const auto dumped = socket.dump(request, take, [&] { entries.clear(); });
  if (!dumped && dumped.error().code != ENODEV) return Failure(dumped.error());
  return entries;
}

FdbEntry parse_fdb_entry(const MessageView& message) {
  const auto header = message.body<ndmsg>();
  FdbEntry entry;
  entry.link = static_cast<std::uint32_t>(header.ndm_ifindex);
  entry.state = header.ndm_state;
  entry.self = (header.ndm_flags & NTF_SELF) != 0;
  for (const Attribute attribute : message.attributes<ndmsg>()) {
    if (attribute.type() == NDA_LLADDR) entry.mac = attribute.mac();
    if (attribute.type() == NDA_DST) entry.remote = attribute.address();
  }
  return entry;
}

}  // namespace weft::netlink

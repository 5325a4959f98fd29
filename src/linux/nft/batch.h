// SPDX-License-Identifier: Apache-2.0
//
// The nf_tables messages of one transaction. The kernel takes the whole batch or none of it, and
// packets see the old rules or the new ones, but two lookups of one packet may see different ones.
//
//   nft::Batch batch;
//   batch.add_table(NFPROTO_IPV4, "weft-podnet", 0);
//   batch.add_rule(NFPROTO_IPV4, "weft-podnet", "postrouting", rule);
//   WEFT_TRY(batch.commit(socket));
//
// Adding what is there is success where it has the same definition; deleting what is not there
// fails the batch (include/uapi/linux/netfilter/nf_tables.h; net/netfilter/nf_tables_api.c,
// nfnetlink.c).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "linux/netlink/message.h"
#include "linux/netlink/socket.h"
#include "linux/nft/object.h"

namespace weft::nft {

// `family` is NFPROTO_IPV4, NFPROTO_IPV6 or NFPROTO_INET throughout.
class Batch {
 public:
  Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void add_table(std::uint8_t family, std::string_view table, std::uint32_t flags);
  void delete_table(std::uint8_t family, std::string_view table);

  // Without its rules. Of a chain that is there, only the policy may differ.
  void add_chain(std::uint8_t family, std::string_view table, std::string_view chain,
                 const Chain& definition);
  void delete_chain(std::uint8_t family, std::string_view table, std::string_view chain);

  void add_rule(std::uint8_t family, std::string_view table, std::string_view chain,
                const Rule& rule);
  void flush_chain(std::uint8_t family, std::string_view table, std::string_view chain);

  void add_set(std::uint8_t family, std::string_view table, std::string_view set,
               const Set& definition);
  void delete_set(std::uint8_t family, std::string_view table, std::string_view set);

  // Elements. Those of one set in a row share messages of up to 60 KB. `key` is the set's key as in
  // the registers (fields padded to four bytes). `value` is, of
  //   a set       nothing
  //   an interval the last key in it
  //   a map       the data as in the registers
  //   a verdict map  the verdict (host-order u32: NF_DROP, NFT_GOTO, …), then the chain's name
  // Interval maps are not supported. A timeout of 0 is the set's own. `definition` and the names
  // live until the next call of another kind.
  struct Elements {
    std::uint8_t family = 0;
    std::string_view table{};
    std::string_view set{};
    const Set* definition = nullptr;
  };
  void add_element(const Elements& of, Bytes key, Bytes value,
                   std::chrono::milliseconds timeout = {});
  void delete_element(const Elements& of, Bytes key, Bytes value);

  // The next element begins a message of its own.
  void end_list() { close_elements(); }

  bool empty() const { return batch_.count() == 1; }
  std::size_t size() const { return batch_.size(); }    // bytes
  std::size_t count() const { return batch_.count(); }  // messages, the opening one among them
  void reserve(std::size_t bytes) { batch_.reserve(bytes); }
  // NFT_MSG_NEWTABLE, …, of a message.
  std::uint16_t message(std::size_t index) const {
    return static_cast<std::uint16_t>(batch_.header(index).nlmsg_type & 0xff);
  }

  // Sends it, in one sendto, and waits for the kernel's word; an empty one is not sent. The error
  // names the first message refused: "NFT_MSG_NEWSETELEM ip weft-services services: File exists".
  // A batch is committed once.
  Result<> commit(netlink::Socket& socket);
  // The same, where all refusals are told; the index is the message's, as count() counted. None:
  // committed.
  Result<std::vector<netlink::Refusal>> try_commit(netlink::Socket& socket);

 private:
  netlink::Message add(std::uint16_t type, std::uint16_t flags, std::uint8_t family);
  void open_elements(std::uint16_t type, const Elements& of);
  void close_elements();
  void element(std::uint16_t type, const Elements& of, Bytes encoded);
  std::string describe(std::size_t index) const;

  netlink::Batch batch_{};
  netlink::Message list_;        // the element message being filled
  std::size_t list_start_ = 0;   // of its list attribute
  std::uint16_t list_type_ = 0;  // NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM; 0 = none open
  Elements list_of_{};
};

}  // namespace weft::nft

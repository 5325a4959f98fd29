// SPDX-License-Identifier: Apache-2.0
//
// Reading nf_tables back: tables, chains, rules, sets and elements, one dump each. A dump that the
// kernel interrupts is begun anew by the socket; several dumps belong together only while the
// ruleset's generation stays the same, which read_consistently() sees to.
//
// Source: include/uapi/linux/netfilter/nf_tables.h, net/netfilter/nf_tables_api.c
// (nf_tables_dump_*).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "linux/netlink/socket.h"
#include "linux/nft/object.h"

namespace weft::nft {

struct TableRecord {
  std::uint8_t family = 0;  // NFPROTO_IPV4 …
  std::string name{};
  std::uint32_t flags = 0;  // NFT_TABLE_F_DORMANT …
};

struct ChainRecord {
  std::string name{};
  Chain chain{};           // without its rules
  bool anonymous = false;  // made with the rule that jumps to it; comes and goes with that
};

struct RuleRecord {
  std::string chain{};
  Rule rule{};
  std::uint64_t handle = 0;
};

struct SetRecord {
  std::string name{};
  Set set{};
  bool anonymous = false;  // belongs to a rule
};

// One element as in a Batch: an interval's value is its last key.
struct ElementRecord {
  std::vector<std::uint8_t> key{};
  std::vector<std::uint8_t> value{};
};

Result<std::uint32_t> generation(netlink::Socket& socket);

Result<std::vector<TableRecord>> dump_tables(netlink::Socket& socket);
Result<std::vector<ChainRecord>> dump_chains(netlink::Socket& socket, std::uint8_t family,
                                             std::string_view table);
Result<std::vector<RuleRecord>> dump_rules(netlink::Socket& socket, std::uint8_t family,
                                           std::string_view table);  // in order
Result<std::vector<SetRecord>> dump_sets(netlink::Socket& socket, std::uint8_t family,
                                         std::string_view table);

// Calls `each` for every element of a set; `restart` before the dump begins anew: forget what came.
// The spans are good during the call only.
Result<> dump_elements(netlink::Socket& socket, std::uint8_t family, std::string_view table,
                       std::string_view set, const Set& definition,
                       const std::function<void(Bytes key, Bytes value)>& each,
                       const std::function<void()>& restart);

// Runs `read` until the ruleset has not changed meanwhile; gives up after some rounds (EAGAIN).
Result<> read_consistently(netlink::Socket& socket, const std::function<Result<>()>& read);

}  // namespace weft::nft

// SPDX-License-Identifier: Apache-2.0
//
// Reading nf_tables back: tables, chains, rules, sets and elements, one dump each, part by part.
//
//   Dump dump(socket);
//   WEFT_TRY(dump.rules(NFPROTO_IPV4, "weft-podnet", [&](RuleRecord rule) { … }));
//   WEFT_TRY(dump.finish());   // or next(), until it says that it was the last
//
// A dump is a walk, part after part, over what is there at the time of each; what that is worth
// while others commit, watch.h finds out. The kernel marks a dump that a commit interrupted,
// whosever table it was to; but what nobody touched is active in every generation (struct nft_set
// and nft_rule's genmask), and rules, sets and elements are dumped by their index in their own
// table or set, so that the mark says nothing there. Tables and chains are dumped by their index in
// a list of everybody's: one dumped across a commit may lack some.
//
// Source: include/uapi/linux/netfilter/nf_tables.h, net/netfilter/nf_tables_api.c
// (nf_tables_dump_*).
#pragma once

#include <cassert>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "linux/netlink/dump.h"
#include "linux/netlink/socket.h"
#include "linux/nft/object.h"
#include "linux/nft/record.h"

namespace weft::nft {

// Begins one dump after the other; each must end before the next begins. What is given to `each` is
// good during the call only.
class Dump {
 public:
  explicit Dump(netlink::Socket& socket) : socket_(&socket) {}
  Dump(const Dump&) = delete;
  Dump& operator=(const Dump&) = delete;

  Result<> tables(std::function<void(TableRecord)> each);
  Result<> chains(std::uint8_t family, std::string_view table,
                  std::function<void(ChainRecord)> each);
  Result<> rules(std::uint8_t family, std::string_view table,
                 std::function<void(RuleRecord)> each);  // in order
  Result<> sets(std::uint8_t family, std::string_view table, std::function<void(SetRecord)> each);
  // As in a Batch: an interval's value is its last key. Intervals of one field come all at the end.
  using EachElement = std::function<void(Bytes key, Bytes value)>;
  Result<> elements(std::uint8_t family, std::string_view table, std::string_view set,
                    const Set& definition, EachElement each);

  bool under_way() const { return dump_.has_value(); }
  // Takes the next part: some 300 elements. True when it was the last.
  Result<bool> next();
  // Takes all that is left.
  Result<> finish();
  // Of the dump that ended last: somebody committed something between two of its parts.
  bool interrupted() const { return interrupted_; }

  // A boundary of a one-field interval: a start, or an end (the key behind the last).
  struct Boundary {
    std::vector<std::uint8_t> key{};
    bool end = false;
    bool operator<(const Boundary& other) const {
      return key != other.key ? key < other.key : end && !other.end;
    }
  };

 private:
  Result<> start(netlink::Batch& batch, std::uint16_t answer,
                 std::function<void(const netlink::MessageView&)> each);

  netlink::Socket* socket_;
  std::optional<netlink::Dump> dump_{};
  std::uint16_t answer_ = 0;
  std::function<void(const netlink::MessageView&)> each_{};
  EachElement paired_{};  // where boundaries are paired at the end
  std::vector<Boundary> boundaries_{};
  bool interrupted_ = false;
};

// The number of the last commit to any table of the namespace.
Result<std::uint32_t> generation(netlink::Socket& socket);

}  // namespace weft::nft

// SPDX-License-Identifier: Apache-2.0
//
// What nft(8) keeps in NFTA_RULE_USERDATA and NFTA_SET_USERDATA: a rule's comment, a set's byte
// order, and of a typeof set the expressions it was declared with. The kernel only stores it.
// Without it `nft list` prints a rule without its comment, and a map keyed by numgen with the type
// "integer", which `nft -f` does not read back.
//
// Records are type u8, length u8, value (udata.h of libnftnl 1.2.4; src/expression.c, payload.c,
// meta.c and numgen.c of nftables 1.0.6 for what an expression stores). Numbers are host order.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "linux/nft/object.h"

namespace weft::nft {

std::string comment_userdata(std::string_view comment);
std::string comment_of(Bytes rule_userdata);  // "" without one

// What a field of a typeof set was declared as.
enum class Typeof {
  kSourceAddress,       // ip saddr, ip6 saddr
  kDestinationAddress,  // ip daddr, ip6 daddr
  kProtocol,            // meta l4proto
  kSourcePort,          // th sport
  kDestinationPort,     // th dport
  kRandom,              // numgen random mod 2
};

// For Set::typeof_userdata: key fields and, of a map with data, data fields. nft stores at most
// four fields of a key; with more it falls back to type names, and so does this.
std::string typeof_userdata(IpFamily family, std::span<const Typeof> key,
                            std::span<const Typeof> data = {});

// What nft stores with a set declared by type names.
std::string type_userdata(const Set& set);

}  // namespace weft::nft

// SPDX-License-Identifier: Apache-2.0
#include "tables/nft_text.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>

namespace weft::tables {

namespace {

using nft::FieldType;

std::string hexadecimal(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string protocol_text(std::uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_SCTP:
      return "sctp";
    default:
      return std::to_string(protocol);
  }
}

std::string interface_text(Bytes name) {
  const auto end = std::find(name.begin(), name.end(), std::uint8_t{0});
  return "\"" + std::string(name.begin(), end) + "\"";
}

std::string field_text(Bytes bytes, const FieldType& type) {
  if (type == nft::kIpv4Address || type == nft::kIpv6Address)
    return IpAddress::from_bytes(bytes).to_string();
  if (type == nft::kInetProtocol) return protocol_text(bytes[0]);
  if (type == nft::kInetService) return std::to_string(from_be(load<Be16>(bytes)));
  if (type == nft::kInteger || type == nft::kMark)
    return std::to_string(load<std::uint32_t>(bytes));
  if (type == nft::kInterfaceName) return interface_text(bytes);
  return hexadecimal(bytes);
}

std::string_view type_name(const FieldType& type) {
  if (type == nft::kIpv4Address) return "ipv4_addr";
  if (type == nft::kIpv6Address) return "ipv6_addr";
  if (type == nft::kInetProtocol) return "inet_proto";
  if (type == nft::kInetService) return "inet_service";
  if (type == nft::kInteger) return "integer";
  if (type == nft::kMark) return "mark";
  if (type == nft::kInterfaceName) return "ifname";
  return "unknown";
}

std::string types_text(const std::vector<FieldType>& fields) {
  std::string text;
  for (const FieldType& field : fields) {
    if (!text.empty()) text += " . ";
    text += type_name(field);
  }
  return text;
}

std::string_view hook_name(std::uint32_t hook) {
  switch (hook) {
    case NF_INET_PRE_ROUTING:
      return "prerouting";
    case NF_INET_LOCAL_IN:
      return "input";
    case NF_INET_FORWARD:
      return "forward";
    case NF_INET_LOCAL_OUT:
      return "output";
    case NF_INET_POST_ROUTING:
      return "postrouting";
    default:
      return "unknown";
  }
}

bool is_verdict(Bytes data) {
  if (data.size() < sizeof(std::int32_t)) return false;
  const auto code = load<std::int32_t>(data);
  const Bytes chain = data.subspan(sizeof code);
  if (chain.empty()) return code == NF_DROP || code == NF_ACCEPT || code == NFT_RETURN;
  return (code == NFT_GOTO || code == NFT_JUMP) &&
         std::all_of(chain.begin(), chain.end(),
                     [](std::uint8_t c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::string_view family_text(std::uint8_t family) {
  switch (family) {
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_ARP:
      return "arp";
    case NFPROTO_BRIDGE:
      return "bridge";
    case NFPROTO_NETDEV:
      return "netdev";
    default:
      return "unknown";
  }
}

std::string fields_text(Bytes bytes, const std::vector<FieldType>& fields) {
  std::string text;
  for (const FieldType& field : fields) {
    if (bytes.size() < field.length || field.length == 0) break;
    if (!text.empty()) text += " . ";
    text += field_text(bytes.first(field.length), field);
    bytes = bytes.subspan(std::min<std::size_t>(bytes.size(), (field.length + 3) & ~3U));
  }
  if (bytes.empty()) return text;
  return text.empty() ? hexadecimal(bytes) : text + " . " + hexadecimal(bytes);
}

std::string verdict_text(Bytes verdict) {
  const auto code = load<std::int32_t>(verdict);
  const Bytes chain = verdict.subspan(std::min(verdict.size(), sizeof code));
  const std::string name(chain.begin(), chain.end());
  switch (code) {
    case NF_ACCEPT:
      return "accept";
    case NF_DROP:
      return "drop";
    case NFT_RETURN:
      return "return";
    case NFT_CONTINUE:
      return "continue";
    case NFT_JUMP:
      return "jump " + name;
    case NFT_GOTO:
      return "goto " + name;
    default:
      return "verdict " + std::to_string(code);
  }
}

std::string data_text(Bytes data) {
  if (is_verdict(data)) return verdict_text(data);
  switch (data.size()) {
    case 0:
      return {};
    case 4:
      return fields_text(data, {nft::kIpv4Address});
    case 8:
      return fields_text(data, {nft::kIpv4Address, nft::kInetService});
    case 16:
      return fields_text(data, {nft::kIpv6Address});
    case 20:
      return fields_text(data, {nft::kIpv6Address, nft::kInetService});
    default:
      return hexadecimal(data);
  }
}

std::string chain_text(const nft::Chain& chain) {
  std::string text;
  if (chain.hook)
    text.append("type ")
        .append(chain.hook->type)
        .append(" hook ")
        .append(hook_name(chain.hook->hook))
        .append(" priority ")
        .append(std::to_string(chain.hook->priority))
        .append("; policy ")
        .append(chain.hook->policy == NF_DROP ? "drop" : "accept");
  for (const nft::Rule& rule : chain.rules) {
    if (!text.empty()) text += "; ";
    text += rule.to_string();
  }
  return text.empty() ? "no rules" : text;
}

std::string set_text(const nft::Set& set) {
  std::string text = "type " + types_text(set.key);
  if (set.verdict_map) text += " : verdict";
  if (!set.data.empty()) text += " : " + types_text(set.data);
  const std::uint32_t flags = nft::kernel_flags(set);
  std::string names;
  const auto flag = [&](std::uint32_t bit, std::string_view name) {
    if ((flags & bit) != 0) names.append(names.empty() ? "" : ",").append(name);
  };
  flag(NFT_SET_CONSTANT, "constant");
  flag(NFT_SET_INTERVAL, "interval");
  flag(NFT_SET_TIMEOUT, "timeout");
  flag(NFT_SET_EVAL, "dynamic");
  if (!names.empty()) text += "; flags " + names;
  if (set.size != 0) text += "; size " + std::to_string(set.size);
  return text;
}

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "linux/nft/record.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "linux/nft/userdata.h"

namespace weft::nft {

namespace {

using netlink::Attribute;
using netlink::Attributes;
using netlink::MessageView;

constexpr std::uint32_t kChainBinding = 1U << 2;  // NFT_CHAIN_BINDING
constexpr std::uint16_t kSetCount = 20;           // NFTA_SET_COUNT, Linux 6.17

Attributes attributes_of(const MessageView& message) { return message.attributes<nfgenmsg>(); }

Chain::Hook& hook_of(Chain& chain) {
  if (!chain.hook) chain.hook.emplace();
  return *chain.hook;
}

void parse_hook(Attributes attributes, Chain::Hook& hook) {
  for (const Attribute attribute : attributes) {
    if (attribute.type() == NFTA_HOOK_HOOKNUM) hook.hook = attribute.be32();
    if (attribute.type() == NFTA_HOOK_PRIORITY)
      hook.priority = static_cast<std::int32_t>(attribute.be32());
  }
}

std::uint32_t described_size(Attributes description) {
  for (const Attribute attribute : description)
    if (attribute.type() == NFTA_SET_DESC_SIZE) return attribute.be32();
  return 0;
}

}  // namespace

TableRecord parse_table(const MessageView& message) {
  TableRecord table;
  table.family = message.body<nfgenmsg>().nfgen_family;
  for (const Attribute attribute : attributes_of(message)) {
    if (attribute.type() == NFTA_TABLE_NAME) table.name = attribute.text();
    if (attribute.type() == NFTA_TABLE_FLAGS) table.flags = attribute.be32();
  }
  return table;
}

ChainRecord parse_chain(const MessageView& message) {
  ChainRecord record;
  for (const Attribute attribute : attributes_of(message)) {
    switch (attribute.type()) {
      case NFTA_CHAIN_TABLE:
        record.table = attribute.text();
        break;
      case NFTA_CHAIN_NAME:
        record.name = attribute.text();
        break;
      case NFTA_CHAIN_HOOK:
        parse_hook(nested(attribute), hook_of(record.chain));
        break;
      case NFTA_CHAIN_TYPE:
        hook_of(record.chain).type = attribute.text();
        break;
      case NFTA_CHAIN_POLICY:
        hook_of(record.chain).policy = attribute.be32();
        break;
      case NFTA_CHAIN_FLAGS:
        record.anonymous = (attribute.be32() & kChainBinding) != 0;
        break;
      default:
        break;
    }
  }
  return record;
}

RuleRecord parse_rule(const MessageView& message) {
  RuleRecord record;
  Bytes expressions;
  std::string comment;
  for (const Attribute attribute : attributes_of(message)) {
    switch (attribute.type()) {
      case NFTA_RULE_CHAIN:
        record.chain = attribute.text();
        break;
      case NFTA_RULE_HANDLE:
        record.handle = attribute.be64();
        break;
      case NFTA_RULE_EXPRESSIONS:
        expressions = attribute.payload();
        break;
      case NFTA_RULE_USERDATA:
        comment = comment_of(attribute.payload());
        break;
      default:
        break;
    }
  }
  record.rule = Rule::from_kernel(expressions, std::move(comment));
  return record;
}

SetRecord parse_set(const MessageView& message) {
  SetRecord record;
  Set& set = record.set;
  std::uint32_t key_type = 0;
  std::uint32_t key_length = 0;
  std::uint32_t data_type = 0;
  std::uint32_t data_length = 0;
  for (const Attribute attribute : attributes_of(message)) {
    switch (attribute.type()) {
      case NFTA_SET_NAME:
        record.name = attribute.text();
        break;
      case NFTA_SET_FLAGS:
        set.flags = attribute.be32();
        break;
      case NFTA_SET_KEY_TYPE:
        key_type = attribute.be32();
        break;
      case NFTA_SET_KEY_LEN:
        key_length = attribute.be32();
        break;
      case NFTA_SET_DATA_TYPE:
        data_type = attribute.be32();
        break;
      case NFTA_SET_DATA_LEN:
        data_length = attribute.be32();
        break;
      case NFTA_SET_DESC:
        set.size = described_size(nested(attribute));
        break;
      case kSetCount:
        record.count = attribute.be32();
        break;
      case NFTA_SET_USERDATA: {
        const Bytes userdata = attribute.payload();
        set.typeof_userdata.assign(userdata.begin(), userdata.end());
        break;
      }
      default:
        break;
    }
  }
  set.key = fields_of(key_type, key_length);
  set.verdict_map = data_type == NFT_DATA_VERDICT;
  if (!set.verdict_map) set.data = fields_of(data_type, data_length);
  set.packet_path_fills = (set.flags & NFT_SET_EVAL) != 0;
  record.anonymous = (set.flags & NFT_SET_ANONYMOUS) != 0;
  return record;
}

}  // namespace weft::nft

// SPDX-License-Identifier: Apache-2.0
#include "linux/nft/dump.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "linux/nft/userdata.h"

namespace weft::nft {

namespace {

using netlink::Attribute;
using netlink::Attributes;
using netlink::MessageView;

constexpr std::uint32_t kChainBinding = 1U << 2;  // NFT_CHAIN_BINDING

constexpr std::uint16_t message_type(std::uint16_t type) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type);
}

netlink::Message request(netlink::Batch& batch, std::uint16_t type, std::uint8_t family) {
  netlink::Message message = batch.add(message_type(type), 0);
  message.header(nfgenmsg{family, NFNETLINK_V0, 0});
  return message;
}

Attributes attributes_of(const MessageView& message) { return message.attributes<nfgenmsg>(); }

TableRecord parse_table(const MessageView& message) {
  TableRecord table;
  table.family = message.body<nfgenmsg>().nfgen_family;
  for (const Attribute attribute : attributes_of(message)) {
    if (attribute.type() == NFTA_TABLE_NAME) table.name = attribute.text();
    if (attribute.type() == NFTA_TABLE_FLAGS) table.flags = attribute.be32();
  }
  return table;
}

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

// A chain and the name of its table: the kernel cannot select chains by table.
std::pair<std::string_view, ChainRecord> parse_chain(const MessageView& message) {
  std::pair<std::string_view, ChainRecord> result;
  ChainRecord& record = result.second;
  for (const Attribute attribute : attributes_of(message)) {
    switch (attribute.type()) {
      case NFTA_CHAIN_TABLE:
        result.first = attribute.text();
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
  return result;
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

std::uint32_t described_size(Attributes description) {
  for (const Attribute attribute : description)
    if (attribute.type() == NFTA_SET_DESC_SIZE) return attribute.be32();
  return 0;
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

// ---- Elements

// An element's data as in a Batch.
class ElementValue {
 public:
  void parse(Attributes data) {
    for (const Attribute attribute : data) {
      if (attribute.type() == NFTA_DATA_VALUE) value_ = attribute.payload();
      if (attribute.type() == NFTA_DATA_VERDICT) parse_verdict(nested(attribute));
    }
  }
  Bytes view() const { return verdict_size_ == 0 ? value_ : Bytes(verdict_).first(verdict_size_); }

 private:
  void parse_verdict(Attributes verdict) {
    verdict_size_ = sizeof(std::uint32_t);
    for (const Attribute attribute : verdict) {
      if (attribute.type() == NFTA_VERDICT_CODE) {
        const std::uint32_t code = attribute.be32();
        std::copy_n(bytes_of(code).begin(), sizeof code, verdict_.begin());
      }
      if (attribute.type() == NFTA_VERDICT_CHAIN) {
        const std::string_view chain =
            attribute.text().substr(0, verdict_.size() - sizeof(std::uint32_t));
        std::copy(chain.begin(), chain.end(), verdict_.begin() + sizeof(std::uint32_t));
        verdict_size_ += chain.size();
      }
    }
  }

  std::array<std::uint8_t, 4 + NFT_CHAIN_MAXNAMELEN> verdict_{};
  std::size_t verdict_size_ = 0;  // 0 = the value is in the message
  Bytes value_{};
};

Bytes data_value(const Attribute& attribute) {
  for (const Attribute inner : nested(attribute))
    if (inner.type() == NFTA_DATA_VALUE) return inner.payload();
  return {};
}

struct ParsedElement {
  Bytes key{};
  Bytes key_end{};
  std::uint32_t flags = 0;
  ElementValue value{};
};

ParsedElement parse_element(Attributes attributes) {
  ParsedElement element;
  for (const Attribute attribute : attributes) {
    switch (attribute.type()) {
      case NFTA_SET_ELEM_KEY:
        element.key = data_value(attribute);
        break;
      case NFTA_SET_ELEM_KEY_END:
        element.key_end = data_value(attribute);
        break;
      case NFTA_SET_ELEM_DATA:
        element.value.parse(nested(attribute));
        break;
      case NFTA_SET_ELEM_FLAGS:
        element.flags = attribute.be32();
        break;
      default:
        break;
    }
  }
  return element;
}

template <class Each>
void each_element(const MessageView& message, Each each) {
  for (const Attribute list : attributes_of(message)) {
    if (list.type() != NFTA_SET_ELEM_LIST_ELEMENTS) continue;
    for (const Attribute item : nested(list)) each(parse_element(nested(item)));
  }
}

// The boundaries of one-field intervals: starts, and ends (the key behind the last).
struct Boundary {
  std::vector<std::uint8_t> key{};
  bool end = false;
  bool operator<(const Boundary& other) const {
    return key != other.key ? key < other.key : end && !other.end;
  }
};

std::vector<std::uint8_t> key_before(std::vector<std::uint8_t> key) {
  for (std::size_t i = key.size(); i-- > 0;)
    if (key[i]-- != 0) break;
  return key;
}

// A start reaches to the next boundary, or to the last key there is. An end without a start says
// that nothing below it matches (nft(8) adds one at zero).
void pair_boundaries(std::vector<Boundary> boundaries,
                     const std::function<void(Bytes key, Bytes value)>& each) {
  std::sort(boundaries.begin(), boundaries.end());
  for (std::size_t i = 0; i < boundaries.size(); ++i) {
    const Boundary& start = boundaries[i];
    if (start.end) continue;
    const bool last = i + 1 == boundaries.size();
    each(start.key, last ? std::vector<std::uint8_t>(start.key.size(), 0xff)
                         : key_before(boundaries[i + 1].key));
  }
}

template <class Record, class Parse>
Result<std::vector<Record>> dump_of_table(netlink::Socket& socket, std::uint16_t get,
                                          std::uint16_t answer, std::uint8_t family,
                                          std::string_view table, Parse parse) {
  netlink::Batch batch;
  // NFTA_CHAIN_TABLE, NFTA_RULE_TABLE and NFTA_SET_TABLE are one number.
  request(batch, get, family).text(NFTA_RULE_TABLE, table);
  std::vector<Record> records;
  WEFT_TRY(socket.dump(
      batch,
      [&](const MessageView& message) {
        if (message.type() == message_type(answer)) parse(message, records);
      },
      [&] { records.clear(); }));
  return records;
}

}  // namespace

Result<std::uint32_t> generation(netlink::Socket& socket) {
  netlink::Batch batch;
  request(batch, NFT_MSG_GETGEN, AF_UNSPEC);
  std::uint32_t id = 0;
  WEFT_TRY(socket.get(batch, [&](const MessageView& message) {
    for (const Attribute attribute : attributes_of(message))
      if (attribute.type() == NFTA_GEN_ID) id = attribute.be32();
  }));
  return id;
}

Result<std::vector<TableRecord>> dump_tables(netlink::Socket& socket) {
  netlink::Batch batch;
  request(batch, NFT_MSG_GETTABLE, AF_UNSPEC);
  std::vector<TableRecord> tables;
  WEFT_TRY(socket.dump(
      batch,
      [&](const MessageView& message) {
        if (message.type() == message_type(NFT_MSG_NEWTABLE))
          tables.push_back(parse_table(message));
      },
      [&] { tables.clear(); }));
  return tables;
}

Result<std::vector<ChainRecord>> dump_chains(netlink::Socket& socket, std::uint8_t family,
                                             std::string_view table) {
  return dump_of_table<ChainRecord>(
      socket, NFT_MSG_GETCHAIN, NFT_MSG_NEWCHAIN, family, table,
      [&](const MessageView& message, std::vector<ChainRecord>& records) {
        auto [owner, record] = parse_chain(message);
        if (owner == table) records.push_back(std::move(record));
      });
}

Result<std::vector<RuleRecord>> dump_rules(netlink::Socket& socket, std::uint8_t family,
                                           std::string_view table) {
  return dump_of_table<RuleRecord>(
      socket, NFT_MSG_GETRULE, NFT_MSG_NEWRULE, family, table,
      [](const MessageView& message, std::vector<RuleRecord>& records) {
        records.push_back(parse_rule(message));
      });
}

Result<std::vector<SetRecord>> dump_sets(netlink::Socket& socket, std::uint8_t family,
                                         std::string_view table) {
  return dump_of_table<SetRecord>(socket, NFT_MSG_GETSET, NFT_MSG_NEWSET, family, table,
                                  [](const MessageView& message, std::vector<SetRecord>& records) {
                                    records.push_back(parse_set(message));
                                  });
}

Result<> dump_elements(netlink::Socket& socket, std::uint8_t family, std::string_view table,
                       std::string_view set, const Set& definition,
                       const std::function<void(Bytes key, Bytes value)>& each,
                       const std::function<void()>& restart) {
  netlink::Batch batch;
  request(batch, NFT_MSG_GETSETELEM, family)
      .text(NFTA_SET_ELEM_LIST_TABLE, table)
      .text(NFTA_SET_ELEM_LIST_SET, set);
  const bool interval = is_interval(definition);
  const bool paired = interval && !is_concatenated(definition);
  std::vector<Boundary> boundaries;
  WEFT_TRY(socket.dump(
      batch,
      [&](const MessageView& message) {
        each_element(message, [&](const ParsedElement& element) {
          if (element.key.empty()) return;  // the catch-all element, which is never ours
          if (paired)
            boundaries.push_back({{element.key.begin(), element.key.end()},
                                  (element.flags & NFT_SET_ELEM_INTERVAL_END) != 0});
          else if (interval)
            each(element.key, element.key_end.empty() ? element.key : element.key_end);
          else
            each(element.key, element.value.view());
        });
      },
      [&] {
        boundaries.clear();
        restart();
      }));
  if (paired) pair_boundaries(std::move(boundaries), each);
  return {};
}

Result<> read_consistently(netlink::Socket& socket, const std::function<Result<>()>& read) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    WEFT_ASSIGN(const std::uint32_t before, generation(socket), "nf_tables generation");
    Result<> result = read();
    WEFT_ASSIGN(const std::uint32_t after, generation(socket), "nf_tables generation");
    if (before == after) return result;
  }
  return fail("nf_tables: the ruleset changed during every reading", EAGAIN);
}

}  // namespace weft::nft

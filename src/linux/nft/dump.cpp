// SPDX-License-Identifier: Apache-2.0
#include "linux/nft/dump.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace weft::nft {

namespace {

using netlink::Attribute;
using netlink::Attributes;
using netlink::MessageView;

constexpr std::uint16_t message_type(std::uint16_t type) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type);
}

netlink::Message request(netlink::Batch& batch, std::uint16_t type, std::uint8_t family) {
  netlink::Message message = batch.add(message_type(type), 0);
  message.header(nfgenmsg{family, NFNETLINK_V0, 0});
  return message;
}

Attributes attributes_of(const MessageView& message) { return message.attributes<nfgenmsg>(); }

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

std::vector<std::uint8_t> key_before(std::vector<std::uint8_t> key) {
  for (std::size_t i = key.size(); i-- > 0;)
    if (key[i]-- != 0) break;
  return key;
}

// A start reaches to the next boundary, or to the last key there is. An end without a start says
// that nothing below it matches (nft(8) adds one at zero).
void pair_boundaries(std::vector<Dump::Boundary> boundaries,
                     const std::function<void(Bytes key, Bytes value)>& each) {
  std::sort(boundaries.begin(), boundaries.end());
  for (std::size_t i = 0; i < boundaries.size(); ++i) {
    const Dump::Boundary& start = boundaries[i];
    if (start.end) continue;
    const bool last = i + 1 == boundaries.size();
    each(start.key, last ? std::vector<std::uint8_t>(start.key.size(), 0xff)
                         : key_before(boundaries[i + 1].key));
  }
}

}  // namespace

Result<> Dump::start(netlink::Batch& batch, std::uint16_t answer,
                     std::function<void(const MessageView&)> each) {
  boundaries_.clear();
  paired_ = {};
  answer_ = message_type(answer);
  each_ = std::move(each);
  WEFT_ASSIGN(dump_, netlink::Dump::start(*socket_, batch));
  return {};
}

Result<> Dump::tables(std::function<void(TableRecord)> each) {
  netlink::Batch batch;
  request(batch, NFT_MSG_GETTABLE, AF_UNSPEC);
  return start(batch, NFT_MSG_NEWTABLE, [each = std::move(each)](const MessageView& message) {
    each(parse_table(message));
  });
}

// The kernel cannot select chains by table.
Result<> Dump::chains(std::uint8_t family, std::string_view table,
                      std::function<void(ChainRecord)> each) {
  netlink::Batch batch;
  request(batch, NFT_MSG_GETCHAIN, family);
  return start(batch, NFT_MSG_NEWCHAIN,
               [table = std::string(table), each = std::move(each)](const MessageView& message) {
                 ChainRecord record = parse_chain(message);
                 if (record.table == table) each(std::move(record));
               });
}

Result<> Dump::rules(std::uint8_t family, std::string_view table,
                     std::function<void(RuleRecord)> each) {
  netlink::Batch batch;
  request(batch, NFT_MSG_GETRULE, family).text(NFTA_RULE_TABLE, table);
  return start(batch, NFT_MSG_NEWRULE,
               [each = std::move(each)](const MessageView& message) { each(parse_rule(message)); });
}

Result<> Dump::sets(std::uint8_t family, std::string_view table,
                    std::function<void(SetRecord)> each) {
  netlink::Batch batch;
  request(batch, NFT_MSG_GETSET, family).text(NFTA_SET_TABLE, table);
  return start(batch, NFT_MSG_NEWSET,
               [each = std::move(each)](const MessageView& message) { each(parse_set(message)); });
}

Result<> Dump::elements(std::uint8_t family, std::string_view table, std::string_view set,
                        const Set& definition, EachElement each) {
  netlink::Batch batch;
  request(batch, NFT_MSG_GETSETELEM, family)
      .text(NFTA_SET_ELEM_LIST_TABLE, table)
      .text(NFTA_SET_ELEM_LIST_SET, set);
  const bool interval = is_interval(definition);
  const bool paired = interval && !is_concatenated(definition);
  WEFT_TRY(start(batch, NFT_MSG_NEWSETELEM, [this, paired, interval, each](const auto& message) {
    each_element(message, [&](const ParsedElement& element) {
      if (element.key.empty()) return;  // the catch-all element, which is never ours
      if (paired)
        boundaries_.push_back({{element.key.begin(), element.key.end()},
                               (element.flags & NFT_SET_ELEM_INTERVAL_END) != 0});
      else if (interval)
        each(element.key, element.key_end.empty() ? element.key : element.key_end);
      else
        each(element.key, element.value.view());
    });
  }));
  if (paired) paired_ = std::move(each);
  return {};
}

Result<bool> Dump::next() {
  assert(dump_);
  const Result<bool> last = dump_->next([this](const MessageView& message) {
    if (message.type() == answer_) each_(message);
  });
  if (last && !*last) return false;
  interrupted_ = dump_->interrupted();
  const bool torn = dump_->torn();
  dump_.reset();
  if (!last) return Failure(last.error());
  if (torn) return fail("nf_tables: a message is larger than the receive buffer", EMSGSIZE);
  if (paired_) pair_boundaries(std::exchange(boundaries_, {}), paired_);
  return true;
}

Result<> Dump::finish() {
  for (;;) {
    WEFT_ASSIGN(const bool last, next());
    if (last) return {};
  }
}

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

}  // namespace weft::nft

// SPDX-License-Identifier: Apache-2.0
#include "linux/nft/batch.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "linux/nft/userdata.h"

namespace weft::nft {

namespace {

// A list attribute holds at most 65,535 bytes.
constexpr std::size_t kLongestList = 60'000;
constexpr std::size_t kLongestElement = 256;

// One NFTA_LIST_ELEM, written by hand: there may be 100,000s of them.
class ElementEncoder {
 public:
  ElementEncoder() { open(NFTA_LIST_ELEM | NLA_F_NESTED); }

  std::size_t open(std::uint16_t type) {
    const std::size_t start = size_;
    put(nlattr{0, type});
    return start;
  }
  void close(std::size_t start) {
    const auto length = static_cast<std::uint16_t>(size_ - start);
    std::memcpy(buffer_.data() + start, &length, sizeof length);
  }
  void value(std::uint16_t type, Bytes bytes) {
    const std::size_t start = open(type | NLA_F_NESTED);
    attribute(NFTA_DATA_VALUE, bytes);
    close(start);
  }
  void attribute(std::uint16_t type, Bytes bytes) {
    put(nlattr{static_cast<std::uint16_t>(NLA_HDRLEN + bytes.size()), type});
    put(bytes);
    pad();
  }
  void text(std::uint16_t type, Bytes bytes) {
    put(nlattr{static_cast<std::uint16_t>(NLA_HDRLEN + bytes.size() + 1), type});
    put(bytes);
    buffer_[size_++] = 0;
    pad();
  }
  void number(std::uint16_t type, std::uint32_t value) { attribute(type, bytes_of(to_be(value))); }

  Bytes finish() {
    close(0);
    return Bytes(buffer_).first(size_);
  }

 private:
  void put(const nlattr& header) { put(bytes_of(header)); }
  void put(Bytes bytes) {
    assert(size_ + bytes.size() < buffer_.size());
    std::copy(bytes.begin(), bytes.end(), buffer_.data() + size_);
    size_ += bytes.size();
  }
  void pad() {
    while (size_ % NLA_ALIGNTO != 0) buffer_[size_++] = 0;
  }

  std::array<std::uint8_t, kLongestElement> buffer_;  // written before it is read
  std::size_t size_ = 0;
};

void encode_verdict(ElementEncoder& element, Bytes verdict) {
  assert(verdict.size() >= sizeof(std::uint32_t));
  const std::size_t data = element.open(NFTA_SET_ELEM_DATA | NLA_F_NESTED);
  const std::size_t nest = element.open(NFTA_DATA_VERDICT | NLA_F_NESTED);
  element.number(NFTA_VERDICT_CODE, load<std::uint32_t>(verdict));
  const Bytes chain = verdict.subspan(sizeof(std::uint32_t));
  if (!chain.empty()) element.text(NFTA_VERDICT_CHAIN, chain);
  element.close(nest);
  element.close(data);
}

// The key behind `key`, or nothing behind the last one there is.
std::optional<std::array<std::uint8_t, 64>> next_key(Bytes key) {
  std::array<std::uint8_t, 64> next{};
  std::copy(key.begin(), key.end(), next.begin());
  for (std::size_t i = key.size(); i-- > 0;)
    if (++next[i] != 0) return next;
  return std::nullopt;
}

}  // namespace

// The opening message is nfnetlink's own, and names the subsystem.
Batch::Batch() : list_(batch_.add(NFNL_MSG_BATCH_BEGIN, 0)) {
  list_.header(nfgenmsg{AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES)});
}

netlink::Message Batch::add(std::uint16_t type, std::uint16_t flags, std::uint8_t family) {
  close_elements();
  netlink::Message message =
      batch_.add(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), flags);
  message.header(nfgenmsg{family, NFNETLINK_V0, 0});
  return message;
}

void Batch::add_table(std::uint8_t family, std::string_view table, std::uint32_t flags) {
  add(NFT_MSG_NEWTABLE, NLM_F_CREATE, family)
      .text(NFTA_TABLE_NAME, table)
      .be32(NFTA_TABLE_FLAGS, flags);
}

void Batch::delete_table(std::uint8_t family, std::string_view table) {
  add(NFT_MSG_DELTABLE, 0, family).text(NFTA_TABLE_NAME, table);
}

void Batch::add_chain(std::uint8_t family, std::string_view table, std::string_view chain,
                      const Chain& definition) {
  netlink::Message message = add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, family);
  message.text(NFTA_CHAIN_TABLE, table).text(NFTA_CHAIN_NAME, chain);
  if (!definition.hook) return;
  const Chain::Hook& hook = *definition.hook;
  message.nest(NFTA_CHAIN_HOOK, [&] {
    message.be32(NFTA_HOOK_HOOKNUM, hook.hook)
        .be32(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(hook.priority));
  });
  message.be32(NFTA_CHAIN_POLICY, hook.policy).text(NFTA_CHAIN_TYPE, hook.type);
}

void Batch::delete_chain(std::uint8_t family, std::string_view table, std::string_view chain) {
  add(NFT_MSG_DELCHAIN, 0, family).text(NFTA_CHAIN_TABLE, table).text(NFTA_CHAIN_NAME, chain);
}

void Batch::add_rule(std::uint8_t family, std::string_view table, std::string_view chain,
                     const Rule& rule) {
  netlink::Message message = add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family);
  message.text(NFTA_RULE_TABLE, table).text(NFTA_RULE_CHAIN, chain);
  message.attribute(NFTA_RULE_EXPRESSIONS | NLA_F_NESTED, rule.expressions());
  if (!rule.comment().empty())
    message.attribute(NFTA_RULE_USERDATA,
                      bytes_of(std::string_view(comment_userdata(rule.comment()))));
}

// Without a handle, DELRULE means every rule of the chain.
void Batch::flush_chain(std::uint8_t family, std::string_view table, std::string_view chain) {
  add(NFT_MSG_DELRULE, 0, family).text(NFTA_RULE_TABLE, table).text(NFTA_RULE_CHAIN, chain);
}

void Batch::add_set(std::uint8_t family, std::string_view table, std::string_view set,
                    const Set& definition) {
  assert(!definition.typeof_userdata.empty() ||
         std::find(definition.key.begin(), definition.key.end(), kInteger) == definition.key.end());
  const auto id = static_cast<std::uint32_t>(batch_.count());  // any number the batch has only once
  netlink::Message message = add(NFT_MSG_NEWSET, NLM_F_CREATE, family);
  message.text(NFTA_SET_TABLE, table)
      .text(NFTA_SET_NAME, set)
      .be32(NFTA_SET_FLAGS, kernel_flags(definition))
      .be32(NFTA_SET_KEY_TYPE, type_number(definition.key))
      .be32(NFTA_SET_KEY_LEN, length_of(definition.key));
  if (definition.verdict_map)
    message.be32(NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT).be32(NFTA_SET_DATA_LEN, 0);
  else if (!definition.data.empty())
    message.be32(NFTA_SET_DATA_TYPE, type_number(definition.data))
        .be32(NFTA_SET_DATA_LEN, length_of(definition.data));
  message.be32(NFTA_SET_ID, id);
  const bool ranges = is_interval(definition) && is_concatenated(definition);
  if (definition.size != 0 || ranges)
    message.nest(NFTA_SET_DESC, [&] {
      if (definition.size != 0) message.be32(NFTA_SET_DESC_SIZE, definition.size);
      if (ranges)
        message.nest(NFTA_SET_DESC_CONCAT, [&] {
          for (const FieldType& field : definition.key)
            message.nest(NFTA_LIST_ELEM, [&] { message.be32(NFTA_SET_FIELD_LEN, field.length); });
        });
    });
  const std::string userdata =
      definition.typeof_userdata.empty() ? type_userdata(definition) : definition.typeof_userdata;
  message.attribute(NFTA_SET_USERDATA, bytes_of(std::string_view(userdata)));
}

void Batch::delete_set(std::uint8_t family, std::string_view table, std::string_view set) {
  add(NFT_MSG_DELSET, 0, family).text(NFTA_SET_TABLE, table).text(NFTA_SET_NAME, set);
}

// ---- Elements

void Batch::open_elements(std::uint16_t type, const Elements& of) {
  list_ = add(type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, of.family);
  list_.text(NFTA_SET_ELEM_LIST_TABLE, of.table).text(NFTA_SET_ELEM_LIST_SET, of.set);
  list_start_ = list_.open_nest(NFTA_SET_ELEM_LIST_ELEMENTS);
  list_type_ = type;
  list_of_ = of;
}

void Batch::close_elements() {
  if (list_type_ == 0) return;
  list_.close_nest(list_start_);
  list_type_ = 0;
}

void Batch::element(std::uint16_t type, const Elements& of, Bytes encoded) {
  const bool same = list_type_ == type && list_of_.definition == of.definition &&
                    list_of_.family == of.family && list_of_.set == of.set &&
                    list_of_.table == of.table;
  if (!same || batch_.size() - list_start_ > kLongestList) open_elements(type, of);
  list_.append(encoded);
}

namespace {

template <class Put>
void encode(const Set& set, Bytes key, Bytes value, bool with_data,
            std::chrono::milliseconds timeout, Put put) {
  ElementEncoder element;
  element.value(NFTA_SET_ELEM_KEY, key);
  const bool interval = is_interval(set);
  if (interval && is_concatenated(set))
    element.value(NFTA_SET_ELEM_KEY_END, value);
  else if (!interval && with_data && set.verdict_map)
    encode_verdict(element, value);
  else if (!interval && with_data && !set.data.empty())
    element.value(NFTA_SET_ELEM_DATA, value);
  if (timeout.count() > 0) {
    const std::uint64_t wire = __builtin_bswap64(static_cast<std::uint64_t>(timeout.count()));
    element.attribute(NFTA_SET_ELEM_TIMEOUT, bytes_of(wire));
  }
  put(element.finish());
  if (!interval || is_concatenated(set)) return;
  // One field: an interval is two elements, its first key and the key behind its last.
  const auto next = next_key(value);
  if (!next) return;
  ElementEncoder end;
  end.value(NFTA_SET_ELEM_KEY, Bytes(*next).first(value.size()));
  end.number(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  put(end.finish());
}

}  // namespace

void Batch::add_element(const Elements& of, Bytes key, Bytes value,
                        std::chrono::milliseconds timeout) {
  encode(*of.definition, key, value, true, timeout,
         [&](Bytes encoded) { element(NFT_MSG_NEWSETELEM, of, encoded); });
}

void Batch::delete_element(const Elements& of, Bytes key, Bytes value) {
  encode(*of.definition, key, value, false, {},
         [&](Bytes encoded) { element(NFT_MSG_DELSETELEM, of, encoded); });
}

// ---- Commit

Result<> Batch::commit(netlink::Socket& socket) {
  WEFT_ASSIGN(auto refusals, try_commit(socket));
  if (refusals.empty()) return {};
  return Failure(std::move(refusals.front().error));
}

Result<std::vector<netlink::Refusal>> Batch::try_commit(netlink::Socket& socket) {
  close_elements();
  if (empty()) return std::vector<netlink::Refusal>{};
  batch_.header(batch_.count() - 1).nlmsg_flags |= NLM_F_ACK;
  netlink::Message end = batch_.add(NFNL_MSG_BATCH_END, 0);
  end.header(nfgenmsg{AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES)});
  WEFT_ASSIGN(auto refusals, socket.commit(batch_), "nf_tables");
  for (netlink::Refusal& refusal : refusals)
    refusal.error = std::move(refusal.error).in(describe(refusal.index));
  return refusals;
}

// "ip weft-services services", from the message's own attributes.
std::string Batch::describe(std::size_t index) const {
  if (index >= batch_.count()) return "nf_tables";
  const nlmsghdr& header = batch_.header(index);
  const netlink::MessageView view(
      {reinterpret_cast<const std::uint8_t*>(&header), header.nlmsg_len});
  const std::uint8_t family = view.body<nfgenmsg>().nfgen_family;
  std::string text = family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : "inet";
  const std::uint16_t message = header.nlmsg_type & 0xff;
  const bool chain = message == NFT_MSG_NEWCHAIN || message == NFT_MSG_DELCHAIN;
  const int name = chain ? int{NFTA_CHAIN_NAME} : int{NFTA_SET_NAME};
  const bool table_only = message == NFT_MSG_NEWTABLE || message == NFT_MSG_DELTABLE;
  // Every message has its table's name first; chain, rule, set and element list their object's.
  for (const netlink::Attribute attribute : view.attributes<nfgenmsg>()) {
    if (attribute.type() == NFTA_TABLE_NAME) text.append(" ").append(attribute.text());
    if (attribute.type() == name && !table_only) text.append(" ").append(attribute.text());
  }
  return text;
}

}  // namespace weft::nft

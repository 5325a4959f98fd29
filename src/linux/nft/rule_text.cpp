// SPDX-License-Identifier: Apache-2.0
// A rule as text, near to nft(8)'s: what each register holds is followed, and a key is every field
// loaded since the one before was used up (which is how rules of ours, and most of nft's, are
// made). An expression not known here is printed by its name in brackets.
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include <array>
#include <map>

#include "linux/nft/expression.h"

namespace weft::nft {

namespace {

using netlink::Attribute;
using netlink::Attributes;

// The attributes of one expression, by type.
class Parsed {
 public:
  explicit Parsed(Attributes attributes) {
    for (const Attribute attribute : attributes)
      if (attribute.type() < payloads_.size()) payloads_[attribute.type()] = attribute.payload();
  }
  bool has(std::uint16_t type) const { return payloads_[type].data() != nullptr; }
  std::uint32_t number(std::uint16_t type) const {
    return has(type) ? Attribute(type, payloads_[type]).be32() : 0;
  }
  std::uint64_t wide(std::uint16_t type) const {
    return has(type) ? Attribute(type, payloads_[type]).be64() : 0;
  }
  std::uint8_t byte(std::uint16_t type) const {
    return has(type) ? Attribute(type, payloads_[type]).u8() : std::uint8_t{0};
  }
  std::string text(std::uint16_t type) const {
    return std::string(Attribute(type, payloads_[type]).text());
  }
  Parsed nest(std::uint16_t type) const { return Parsed(Attributes(payloads_[type])); }
  Bytes payload(std::uint16_t type) const { return payloads_[type]; }
  Bytes data(std::uint16_t type) const { return nest(type).payloads_[NFTA_DATA_VALUE]; }

 private:
  std::array<Bytes, 16> payloads_{};
};

// How a field's value is written.
enum class Form { kHex, kAddress, kPort, kProtocol, kName, kState, kStatus, kDecimal };

struct Field {
  std::string text{};
  Form form = Form::kHex;
};

std::string hexadecimal(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  for (const std::uint8_t byte : bytes) text.append({kDigits[byte >> 4U], kDigits[byte & 15U]});
  return text;
}

std::string flags_text(std::uint32_t bits,
                       std::initializer_list<std::pair<std::uint32_t, const char*>> names) {
  std::string text;
  for (const auto& [bit, name] : names) {
    if ((bits & bit) == 0) continue;
    text.append(text.empty() ? "" : ",").append(name);
    bits &= ~bit;
  }
  return bits == 0 && !text.empty() ? text : std::to_string(bits);
}

std::string protocol_text(std::uint8_t number) {
  return number == IPPROTO_TCP    ? "tcp"
         : number == IPPROTO_UDP  ? "udp"
         : number == IPPROTO_SCTP ? "sctp"
                                  : std::to_string(number);
}

std::string value_text(Bytes value, Form form) {
  switch (form) {
    case Form::kAddress:
      if (value.size() != 4 && value.size() != 16) break;
      return IpAddress::from_bytes(value).to_string();
    case Form::kPort:
      return std::to_string(from_be(load<Be16>(value)));
    case Form::kProtocol:
      return protocol_text(load<std::uint8_t>(value));
    case Form::kName: {
      const std::string_view text = Attribute(0, value).text();
      return "\"" + std::string(text) + (value.size() < 16 ? "*\"" : "\"");
    }
    case Form::kState:
      return flags_text(
          load<std::uint32_t>(value),
          {{1, "invalid"}, {2, "established"}, {4, "related"}, {8, "new"}, {64, "untracked"}});
    case Form::kStatus:
      return flags_text(load<std::uint32_t>(value), {{16, "snat"}, {32, "dnat"}});
    case Form::kDecimal:
      return std::to_string(load<std::uint32_t>(value));
    case Form::kHex:
      break;
  }
  return hexadecimal(value);
}

Field payload_field(std::uint32_t base, std::uint32_t offset, std::uint32_t length) {
  if (base == NFT_PAYLOAD_NETWORK_HEADER && length == 4 && offset == 12)
    return {"ip saddr", Form::kAddress};
  if (base == NFT_PAYLOAD_NETWORK_HEADER && length == 4 && offset == 16)
    return {"ip daddr", Form::kAddress};
  if (base == NFT_PAYLOAD_NETWORK_HEADER && length == 16 && offset == 8)
    return {"ip6 saddr", Form::kAddress};
  if (base == NFT_PAYLOAD_NETWORK_HEADER && length == 16 && offset == 24)
    return {"ip6 daddr", Form::kAddress};
  if (base == NFT_PAYLOAD_TRANSPORT_HEADER && length == 2 && offset == 0)
    return {"th sport", Form::kPort};
  if (base == NFT_PAYLOAD_TRANSPORT_HEADER && length == 2 && offset == 2)
    return {"th dport", Form::kPort};
  const std::string name = base == NFT_PAYLOAD_NETWORK_HEADER     ? "@nh,"
                           : base == NFT_PAYLOAD_TRANSPORT_HEADER ? "@th,"
                                                                  : "@ll,";
  return {name + std::to_string(offset * 8) + "," + std::to_string(length * 8), Form::kHex};
}

Field meta_field(std::uint32_t key) {
  switch (key) {
    case NFT_META_L4PROTO:
      return {"meta l4proto", Form::kProtocol};
    case NFT_META_NFPROTO:
      return {"meta nfproto", Form::kHex};
    case NFT_META_MARK:
      return {"meta mark", Form::kDecimal};
    case NFT_META_IIFNAME:
      return {"iifname", Form::kName};
    case NFT_META_OIFNAME:
      return {"oifname", Form::kName};
    default:
      return {"meta key " + std::to_string(key), Form::kHex};
  }
}

Field ct_field(const Parsed& ct) {
  std::string text = "ct ";
  if (ct.has(NFTA_CT_DIRECTION))
    text += ct.byte(NFTA_CT_DIRECTION) == IP_CT_DIR_ORIGINAL ? "original " : "reply ";
  switch (ct.number(NFTA_CT_KEY)) {
    case NFT_CT_STATE:
      return {"ct state", Form::kState};
    case NFT_CT_STATUS:
      return {"ct status", Form::kStatus};
    case NFT_CT_DIRECTION:
      return {"ct direction", Form::kHex};
    case NFT_CT_MARK:
      return {"ct mark", Form::kDecimal};
    case NFT_CT_SRC_IP:
      return {text + "ip saddr", Form::kAddress};
    case NFT_CT_DST_IP:
      return {text + "ip daddr", Form::kAddress};
    case NFT_CT_SRC_IP6:
      return {text + "ip6 saddr", Form::kAddress};
    case NFT_CT_DST_IP6:
      return {text + "ip6 daddr", Form::kAddress};
    case NFT_CT_PROTO_SRC:
      return {text + "proto-src", Form::kPort};
    case NFT_CT_PROTO_DST:
      return {text + "proto-dst", Form::kPort};
    default:
      return {text + "key " + std::to_string(ct.number(NFTA_CT_KEY)), Form::kHex};
  }
}

// The prefix length of a netmask; nothing for any other mask.
std::optional<int> prefix_length(Bytes mask) {
  int length = 0;
  bool ended = false;
  for (const std::uint8_t byte : mask)
    for (int bit = 7; bit >= 0; --bit) {
      const bool set = (byte >> bit & 1) != 0;
      if (set && ended) return std::nullopt;
      if (set) ++length;
      ended = ended || !set;
    }
  return length;
}

class RuleText {
 public:
  void add(std::string_view name, const Parsed& parsed) {
    if (name == "payload")
      load_field(payload_field(parsed.number(NFTA_PAYLOAD_BASE), parsed.number(NFTA_PAYLOAD_OFFSET),
                               parsed.number(NFTA_PAYLOAD_LEN)));
    else if (name == "meta" && parsed.has(NFTA_META_DREG))
      load_field(meta_field(parsed.number(NFTA_META_KEY)));
    else if (name == "ct" && parsed.has(NFTA_CT_DREG))
      load_field(ct_field(parsed));
    else if (name == "fib")
      load_field(
          {parsed.number(NFTA_FIB_FLAGS) == NFTA_FIB_F_SADDR ? "fib saddr type" : "fib daddr type",
           Form::kDecimal});
    else if (name == "numgen")
      load_field(
          {"numgen random mod " + std::to_string(parsed.number(NFTA_NG_MODULUS)), Form::kDecimal});
    else if (name == "bitwise")
      mask_ = parsed.data(NFTA_BITWISE_MASK);
    else if (name == "cmp")
      compare(parsed);
    else if (name == "lookup")
      look_up(parsed);
    else if (name == "immediate")
      immediate(parsed);
    else if (name == "nat")
      nat(parsed);
    else if (name == "dynset")
      dynset(parsed);
    else if (name == "counter")
      word("counter");
    else if (name == "masq")
      word(parsed.number(NFTA_MASQ_FLAGS) == NF_NAT_RANGE_PROTO_RANDOM_FULLY
               ? "masquerade fully-random"
               : "masquerade");
    else if (name == "reject")
      word(parsed.number(NFTA_REJECT_TYPE) == NFT_REJECT_TCP_RST ? "reject with tcp reset"
                                                                 : "reject");
    else
      word("[" + std::string(name) + "]");
  }

  std::string text() const { return text_; }

 private:
  void word(std::string_view word) {
    if (word.empty()) return;
    if (!text_.empty()) text_ += ' ';
    text_ += word;
  }
  void load_field(Field field) { fields_.push_back(std::move(field)); }
  std::string take_key() {
    std::string key;
    for (const Field& field : fields_) key.append(key.empty() ? "" : " . ").append(field.text);
    fields_.clear();
    return key;
  }

  void compare(const Parsed& parsed) {
    const Form form = fields_.empty() ? Form::kHex : fields_.back().form;
    const Bytes value = parsed.data(NFTA_CMP_DATA);
    constexpr std::array<const char*, 6> kOperations{"", "!= ", "< ", "<= ", "> ", ">= "};
    const std::uint32_t operation = parsed.number(NFTA_CMP_OP);
    word(take_key());
    std::string right = value_text(value, form);
    if (mask_.data() != nullptr) {
      const auto length = form == Form::kAddress ? prefix_length(mask_) : std::nullopt;
      if (length)
        right += "/" + std::to_string(*length);
      else
        word("& " + value_text(mask_, form));
      if (!length && operation == NFT_CMP_EQ) right.insert(0, "== ");
      mask_ = {};
    }
    word((operation < kOperations.size() ? kOperations[operation] : "? ") + right);
  }

  void look_up(const Parsed& parsed) {
    const std::string set = "@" + parsed.text(NFTA_LOOKUP_SET);
    if (!parsed.has(NFTA_LOOKUP_DREG)) {
      word(take_key());
      word((parsed.number(NFTA_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV) != 0 ? "!= " + set : set);
    } else if (parsed.number(NFTA_LOOKUP_DREG) == NFT_REG_VERDICT) {
      word(take_key() + " vmap " + set);
    } else {
      load_field({take_key() + " map " + set, Form::kHex});
    }
  }

  void immediate(const Parsed& parsed) {
    if (parsed.number(NFTA_IMMEDIATE_DREG) != NFT_REG_VERDICT) {
      const Bytes value = parsed.data(NFTA_IMMEDIATE_DATA);
      load_field({value_text(value, value.size() == 2 ? Form::kPort : Form::kAddress), Form::kHex});
      return;
    }
    const Parsed verdict = parsed.nest(NFTA_IMMEDIATE_DATA).nest(NFTA_DATA_VERDICT);
    const std::string chain = verdict.text(NFTA_VERDICT_CHAIN);
    switch (static_cast<std::int32_t>(verdict.number(NFTA_VERDICT_CODE))) {
      case NF_ACCEPT:
        return word("accept");
      case NF_DROP:
        return word("drop");
      case NFT_RETURN:
        return word("return");
      case NFT_CONTINUE:
        return word("continue");
      case NFT_JUMP:
        return word("jump " + chain);
      case NFT_GOTO:
        return word("goto " + chain);
      default:
        return word("[verdict]");
    }
  }

  void nat(const Parsed& parsed) {
    word(parsed.number(NFTA_NAT_TYPE) == NFT_NAT_DNAT ? "dnat to" : "snat to");
    word(take_key());
  }

  void dynset(const Parsed& parsed) {
    constexpr std::array<const char*, 3> kOperations{"add", "update", "delete"};
    const std::uint32_t operation = parsed.number(NFTA_DYNSET_OP);
    word(operation < kOperations.size() ? kOperations[operation] : "[dynset]");
    word("@" + parsed.text(NFTA_DYNSET_SET_NAME) + " {");
    word(take_key());
    if (parsed.has(NFTA_DYNSET_TIMEOUT))
      word("timeout " + std::to_string(parsed.wide(NFTA_DYNSET_TIMEOUT) / 1000) + "s");
    word("}");
  }

  std::string text_{};
  std::vector<Field> fields_{};
  Bytes mask_{};
};

}  // namespace

std::string Rule::to_string() const {
  RuleText text;
  for (const Attribute element : Attributes(expressions_)) {
    const Parsed expression{nested(element)};
    text.add(expression.text(NFTA_EXPR_NAME), expression.nest(NFTA_EXPR_DATA));
  }
  return comment_.empty() ? text.text() : text.text() + " comment \"" + comment_ + "\"";
}

}  // namespace weft::nft

// SPDX-License-Identifier: Apache-2.0
#include "linux/nft/userdata.h"

#include <linux/netfilter/nf_tables.h>

#include <cstdint>

namespace weft::nft {

namespace {

// enum nftnl_udata_rule_types, nftnl_udata_set_types, nftnl_udata_set_typeof_types.
constexpr std::uint8_t kRuleComment = 0;
constexpr std::uint8_t kSetKeyByteOrder = 0;
constexpr std::uint8_t kSetDataByteOrder = 1;
constexpr std::uint8_t kSetKeyTypeof = 3;
constexpr std::uint8_t kSetDataTypeof = 4;
constexpr std::uint8_t kSetDataInterval = 6;
constexpr std::uint8_t kTypeofExpression = 0;
constexpr std::uint8_t kTypeofData = 1;

// enum expr_types, include/expression.h of nftables.
constexpr std::uint32_t kPayloadExpression = 7;
constexpr std::uint32_t kMetaExpression = 9;
constexpr std::uint32_t kConcatExpression = 13;
constexpr std::uint32_t kNumgenExpression = 23;

// enum proto_desc_id and the headers' field numbers, include/proto.h of nftables.
constexpr std::uint32_t kTransportHeader = 11;
constexpr std::uint32_t kIpv4Header = 12;
constexpr std::uint32_t kIpv6Header = 13;
constexpr std::uint32_t kIpv4Source = 11;
constexpr std::uint32_t kIpv6Source = 8;
constexpr std::uint32_t kTransportSource = 1;

enum class ByteOrder : std::uint32_t { kInvalid = 0, kHost = 1, kBigEndian = 2 };

constexpr std::size_t kMostTypeofFields = 4;

std::string record(std::uint8_t type, std::string_view value) {
  std::string text{static_cast<char>(type), static_cast<char>(value.size())};
  return text.append(value);
}

std::string number(std::uint8_t type, std::uint32_t value) {
  return record(type, {reinterpret_cast<const char*>(&value), sizeof value});
}

std::string expression(std::uint32_t type, std::string_view data) {
  return number(kTypeofExpression, type) + record(kTypeofData, data);
}

std::string payload(std::uint32_t header, std::uint32_t field) {
  return expression(kPayloadExpression, number(0, header) + number(1, field));
}

std::string field_userdata(IpFamily family, Typeof field) {
  const bool v4 = family == IpFamily::kIpv4;
  const std::uint32_t ip = v4 ? kIpv4Header : kIpv6Header;
  const std::uint32_t source = v4 ? kIpv4Source : kIpv6Source;
  switch (field) {
    case Typeof::kSourceAddress:
      return payload(ip, source);
    case Typeof::kDestinationAddress:
      return payload(ip, source + 1);
    case Typeof::kProtocol:
      return expression(kMetaExpression, number(0, NFT_META_L4PROTO));
    case Typeof::kSourcePort:
      return payload(kTransportHeader, kTransportSource);
    case Typeof::kDestinationPort:
      return payload(kTransportHeader, kTransportSource + 1);
    case Typeof::kRandom:
      return expression(kNumgenExpression, number(0, NFT_NG_RANDOM) + number(1, 2) + number(2, 0));
  }
  return {};
}

std::string fields_userdata(IpFamily family, std::span<const Typeof> fields) {
  if (fields.size() == 1) return field_userdata(family, fields.front());
  std::string parts;
  if (fields.size() <= kMostTypeofFields)
    for (std::size_t i = 0; i < fields.size(); ++i)
      parts += record(static_cast<std::uint8_t>(i), field_userdata(family, fields[i]));
  return expression(kConcatExpression, parts);
}

ByteOrder byte_order(const std::vector<FieldType>& fields) {
  if (fields.size() != 1) return ByteOrder::kInvalid;
  const FieldType& field = fields.front();
  const bool host = field == kInteger || field == kMark || field == kInterfaceName;
  return host ? ByteOrder::kHost : ByteOrder::kBigEndian;
}

ByteOrder byte_order(std::span<const Typeof> fields) {
  if (fields.size() != 1) return ByteOrder::kInvalid;
  return fields.front() == Typeof::kRandom ? ByteOrder::kHost : ByteOrder::kBigEndian;
}

}  // namespace

std::string comment_userdata(std::string_view comment) {
  return record(kRuleComment, std::string(comment) + '\0');
}

std::string comment_of(Bytes userdata) {
  while (userdata.size() >= 2) {
    const std::size_t length = userdata[1];
    if (userdata.size() < 2 + length) break;
    if (userdata[0] == kRuleComment) {
      const std::string text(reinterpret_cast<const char*>(userdata.data()) + 2, length);
      return text.substr(0, text.find('\0'));
    }
    userdata = userdata.subspan(2 + length);
  }
  return {};
}

std::string typeof_userdata(IpFamily family, std::span<const Typeof> key,
                            std::span<const Typeof> data) {
  std::string text = number(kSetKeyByteOrder, static_cast<std::uint32_t>(byte_order(key)));
  if (!data.empty())
    text += number(kSetDataByteOrder, static_cast<std::uint32_t>(byte_order(data)));
  text += record(kSetKeyTypeof, fields_userdata(family, key));
  if (!data.empty())
    text += record(kSetDataTypeof, fields_userdata(family, data)) + number(kSetDataInterval, 0);
  return text;
}

std::string type_userdata(const Set& set) {
  std::string text = number(kSetKeyByteOrder, static_cast<std::uint32_t>(byte_order(set.key)));
  const bool map = set.verdict_map || !set.data.empty();
  if (map) text += number(kSetDataByteOrder, static_cast<std::uint32_t>(byte_order(set.data)));
  if (set.key.size() > 1) text += record(kSetKeyTypeof, expression(kConcatExpression, {}));
  if (set.data.size() > 1) text += record(kSetDataTypeof, expression(kConcatExpression, {}));
  return map ? text + number(kSetDataInterval, 0) : text;
}

}  // namespace weft::nft

// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/message.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace weft::netlink {

namespace {

constexpr std::size_t kAlignment = NLA_ALIGNTO;
constexpr std::size_t kAttributeHeader = NLA_HDRLEN;
constexpr std::size_t kLongestAttribute = 0xffff;
constexpr std::size_t kSmall = 1024;  // bytes
constexpr std::size_t kFew = 8;       // messages

constexpr std::size_t aligned(std::size_t size) {
  return (size + kAlignment - 1) & ~(kAlignment - 1);
}

// Room for `size` more bytes, and zero bytes up to the next multiple of four. What is in the buffer
// already is aligned.
std::uint8_t* extend(std::vector<std::uint8_t>& buffer, std::size_t size) {
  const std::size_t start = buffer.size();
  buffer.resize(start + aligned(size));
  return buffer.data() + start;
}

void copy(Bytes bytes, std::uint8_t* to) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
}

// The whole length of the attribute at the start of `rest`; 0 when there is none in full.
std::size_t attribute_length(Bytes rest) {
  if (rest.size() < kAttributeHeader) return 0;
  const std::size_t length = load<nlattr>(rest).nla_len;
  return length < kAttributeHeader || length > rest.size() ? 0 : length;
}

}  // namespace

Message& Message::append(Bytes bytes) {
  copy(bytes, extend(batch_->buffer_, bytes.size()));
  return sized();
}

Message& Message::attribute(std::uint16_t type, Bytes payload) {
  assert(payload.size() <= kLongestAttribute - kAttributeHeader);
  const nlattr header{static_cast<std::uint16_t>(kAttributeHeader + payload.size()), type};
  std::uint8_t* const place = extend(batch_->buffer_, header.nla_len);
  copy(bytes_of(header), place);
  copy(payload, place + kAttributeHeader);
  return sized();
}

Message& Message::text(std::uint16_t type, std::string_view value) {
  assert(value.size() < kLongestAttribute - kAttributeHeader);
  const nlattr header{static_cast<std::uint16_t>(kAttributeHeader + value.size() + 1), type};
  std::uint8_t* const place = extend(batch_->buffer_, header.nla_len);
  copy(bytes_of(header), place);
  copy(bytes_of(value), place + kAttributeHeader);
  return sized();
}

std::size_t Message::open_nest(std::uint16_t type) {
  const std::size_t start = batch_->buffer_.size();
  attribute(type | NLA_F_NESTED, {});
  return start;
}

void Message::close_nest(std::size_t start) {
  const std::size_t length = batch_->buffer_.size() - start;
  assert(length <= kLongestAttribute);
  reinterpret_cast<nlattr*>(batch_->buffer_.data() + start)->nla_len =
      static_cast<std::uint16_t>(length);
}

std::size_t Message::size() const { return batch_->buffer_.size() - start_; }

void Message::set_u16(std::size_t offset, std::uint16_t value) {
  assert(offset + sizeof value <= size());
  std::memcpy(batch_->buffer_.data() + start_ + offset, &value, sizeof value);
}

Message& Message::sized() {
  reinterpret_cast<nlmsghdr*>(batch_->buffer_.data() + start_)->nlmsg_len =
      static_cast<std::uint32_t>(size());
  return *this;
}

Message Batch::add(std::uint16_t type, std::uint16_t flags) {
  if (starts_.empty()) {  // most batches are small
    buffer_.reserve(kSmall);
    starts_.reserve(kFew);
  }
  const std::size_t start = buffer_.size();
  starts_.push_back(start);
  nlmsghdr header{};
  header.nlmsg_len = NLMSG_HDRLEN;
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  copy(bytes_of(header), extend(buffer_, sizeof header));
  return Message(*this, start);
}

Bytes Batch::bytes(std::size_t first, std::size_t last) const {
  const auto offset = [&](std::size_t index) {
    return index < starts_.size() ? starts_[index] : buffer_.size();
  };
  return bytes().subspan(offset(first), offset(last) - offset(first));
}

nlmsghdr& Batch::header(std::size_t index) {
  return *reinterpret_cast<nlmsghdr*>(buffer_.data() + starts_[index]);
}

const nlmsghdr& Batch::header(std::size_t index) const {
  return *reinterpret_cast<const nlmsghdr*>(buffer_.data() + starts_[index]);
}

void Batch::clear() {
  buffer_.clear();
  starts_.clear();
}

std::string_view Attribute::text() const {
  const auto end = std::find(payload_.begin(), payload_.end(), std::uint8_t{0});
  return {reinterpret_cast<const char*>(payload_.data()),
          static_cast<std::size_t>(end - payload_.begin())};
}

IpAddress Attribute::address() const {
  if (payload_.size() != 4 && payload_.size() != 16) return {};
  return IpAddress::from_bytes(payload_);
}

Attribute Attributes::Iterator::operator*() const {
  return {load<nlattr>(rest_).nla_type,
          rest_.subspan(kAttributeHeader, attribute_length(rest_) - kAttributeHeader)};
}

Attributes::Iterator& Attributes::Iterator::operator++() {
  rest_ = rest_.subspan(std::min(rest_.size(), aligned(attribute_length(rest_))));
  return *this;
}

bool Attributes::Iterator::operator==(std::default_sentinel_t) const {
  return attribute_length(rest_) == 0;
}

}  // namespace weft::netlink

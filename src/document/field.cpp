// SPDX-License-Identifier: Apache-2.0
#include "document/field.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "document/document.h"

namespace weft::document {

Field Field::step(std::string_view key, std::size_t index, const Value& value) const {
  Field next = *this;
  next.value_ = value;
  if (depth_ < kDepth) next.steps_[next.depth_++] = {key, index};
  return next;
}

Field Field::operator[](std::string_view key) const {
  if (value_.is_set() && !value_.is_object()) refuse("must be an object");
  return step(key, 0, value_[key]);
}

std::string Field::pointer() const {
  std::string pointer;
  for (std::size_t i = 0; i < depth_; ++i)
    pointer = field_pointer(pointer, steps_[i].key.empty() ? std::to_string(steps_[i].index)
                                                           : std::string(steps_[i].key));
  return pointer;
}

void Field::refuse(std::string_view demand) const {
  std::string message(demand);
  if (value_.is_set() && !*error_) message += ", not " + value_.shown();
  refuse_as(std::move(message));
}

void Field::refuse_as(std::string message) const {
  if (!*error_) *error_ = FieldError{pointer(), std::move(message)};
}

Field Field::at(std::string_view pointer) const {
  if (pointer.empty()) return *this;
  pointer.remove_prefix(1);
  const std::size_t end = std::min(pointer.find('/'), pointer.size());
  return (*this)[pointer.substr(0, end)].at(pointer.substr(end));
}

std::vector<Field> Field::items() const {
  std::vector<Field> items;
  each([&](const Field& item) { items.push_back(item); });
  return items;
}

std::vector<std::string> Field::texts() const {
  std::vector<std::string> texts;
  each([&](const Field& item) {
    if (!item.is_set()) item.refuse("must be a string");
    texts.push_back(item.text());
  });
  return texts;
}

std::string Field::text(std::string_view otherwise) const {
  const auto text = value_.text();
  if (value_.is_set() && !text) refuse("must be a string");
  return std::string(text.value_or(otherwise));
}

bool Field::flag(bool otherwise) const {
  const auto flag = value_.flag();
  if (value_.is_set() && !flag) refuse("must be true or false");
  return flag.value_or(otherwise);
}

std::int64_t Field::number(std::int64_t low, std::int64_t high) const {
  if (!value_.is_set()) return low - 1;
  const auto number = value_.number();
  if (number && *number >= low && *number <= high) return *number;
  refuse(fmt::format("must be a number from {} to {}", low, high));
  return low - 1;
}

std::uint16_t Field::port() const { return static_cast<std::uint16_t>(number(1, 65535)); }

IpAddress Field::address() const {
  const auto address = IpAddress::parse(text());
  if (!address) refuse("must be an IP address");
  return address.value_or(IpAddress{});
}

IpAddress Field::unicast_address() const {
  const IpAddress parsed = address();
  if (parsed.is_unspecified() || parsed.is_loopback() || parsed.is_link_local() ||
      parsed.is_multicast())
    refuse("must be unicast, and neither unspecified, loopback nor link-local");
  return parsed;
}

Prefix Field::network() const {
  const std::string written = text();
  const auto prefix = Prefix::parse(written);
  if (!prefix || !prefix->is_network() || written.find('/') == std::string::npos) {
    refuse("must be a network such as 10.244.1.0/24");
    return {};
  }
  return *prefix;
}

std::map<std::string, std::string> Field::labels() const {
  std::map<std::string, std::string> labels;
  if (value_.is_set() && !value_.is_object()) refuse("must be an object");
  value_.each_member([&](std::string_view key, const Value& value) {
    labels.emplace(std::string(key), step(key, 0, value).text());
  });
  return labels;
}

}  // namespace weft::document

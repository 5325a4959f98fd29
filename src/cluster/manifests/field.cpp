// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/field.h"

#include <fmt/format.h>

#include "cluster/manifests/document.h"

namespace weft::cluster {

Field Field::step(std::string_view key, std::size_t index,
                  std::optional<simdjson::dom::element> value) const {
  Field next = *this;
  next.value_ = value && !value->is_null() ? value : std::nullopt;
  if (depth_ < kDepth) next.steps_[next.depth_++] = {key, index};
  return next;
}

Field Field::operator[](std::string_view key) const {
  std::optional<simdjson::dom::element> member;
  if (value_) {
    simdjson::dom::object object;
    simdjson::dom::element found;
    if (value_->get_object().get(object) != simdjson::SUCCESS)
      refuse("must be an object");
    else if (object.at_key(key).get(found) == simdjson::SUCCESS)
      member = found;
  }
  return step(key, 0, member);
}

std::string Field::pointer() const {
  std::string pointer;
  for (std::size_t i = 0; i < depth_; ++i)
    pointer = field_pointer(pointer, steps_[i].key.empty() ? std::to_string(steps_[i].index)
                                                           : std::string(steps_[i].key));
  return pointer;
}

void Field::refuse(std::string_view demand) const {
  if (*error_) return;
  std::string message(demand);
  if (value_) message += ", not " + shortened(simdjson::minify(*value_));
  *error_ = FieldError{pointer(), std::move(message)};
}

std::string Field::text(std::string_view otherwise) const {
  std::string_view text = otherwise;
  if (value_ && value_->get_string().get(text) != simdjson::SUCCESS) refuse("must be a string");
  return std::string(text);
}

bool Field::flag(bool otherwise) const {
  bool flag = otherwise;
  if (value_ && value_->get_bool().get(flag) != simdjson::SUCCESS) refuse("must be true or false");
  return flag;
}

std::int64_t Field::number(std::int64_t low, std::int64_t high) const {
  std::int64_t number = low - 1;
  if (!value_) return number;
  if (value_->get_int64().get(number) != simdjson::SUCCESS || number < low || number > high) {
    refuse(fmt::format("must be a number from {} to {}", low, high));
    return low - 1;
  }
  return number;
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

model::Labels Field::labels() const {
  model::Labels labels;
  if (!value_) return labels;
  simdjson::dom::object object;
  if (value_->get_object().get(object) != simdjson::SUCCESS)
    refuse("must be an object");
  else
    for (const auto& [key, value] : object)
      labels.emplace(std::string(key), step(key, 0, value).text());
  return labels;
}

}  // namespace weft::cluster

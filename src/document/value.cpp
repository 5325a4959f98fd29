// SPDX-License-Identifier: Apache-2.0
#include "document/value.h"

#include <limits>

#include "document/document.h"

namespace weft::document {

using nlohmann::json;
using Bulk = simdjson::dom::element;

bool Value::is_set() const {
  if (const auto* bulk = std::get_if<Bulk>(&held_)) return !bulk->is_null();
  const auto* tree = std::get_if<Tree>(&held_);
  return tree != nullptr && !(*tree)->is_null();
}

bool Value::is_object() const {
  if (const auto* bulk = std::get_if<Bulk>(&held_)) return bulk->is_object();
  const auto* tree = std::get_if<Tree>(&held_);
  return tree != nullptr && (*tree)->is_object();
}

bool Value::is_list() const {
  if (const auto* bulk = std::get_if<Bulk>(&held_)) return bulk->is_array();
  const auto* tree = std::get_if<Tree>(&held_);
  return tree != nullptr && (*tree)->is_array();
}

std::optional<std::string_view> Value::text() const {
  std::string_view text;
  if (const auto* bulk = std::get_if<Bulk>(&held_)) {
    if (bulk->get_string().get(text) == simdjson::SUCCESS) return text;
  } else if (const auto* tree = std::get_if<Tree>(&held_); tree != nullptr && (*tree)->is_string())
    return (*tree)->get_ref<const std::string&>();
  return std::nullopt;
}

std::optional<bool> Value::flag() const {
  bool flag = false;
  if (const auto* bulk = std::get_if<Bulk>(&held_)) {
    if (bulk->get_bool().get(flag) == simdjson::SUCCESS) return flag;
  } else if (const auto* tree = std::get_if<Tree>(&held_); tree != nullptr && (*tree)->is_boolean())
    return (*tree)->get<bool>();
  return std::nullopt;
}

std::optional<std::int64_t> Value::number() const {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::int64_t number = 0;
  if (const auto* bulk = std::get_if<Bulk>(&held_)) {
    if (bulk->get_int64().get(number) == simdjson::SUCCESS) return number;
  } else if (const auto* tree = std::get_if<Tree>(&held_);
             tree != nullptr && (*tree)->is_number_integer() &&
             !((*tree)->is_number_unsigned() && (*tree)->get<std::uint64_t>() > kLargest))
    return (*tree)->get<std::int64_t>();
  return std::nullopt;
}

Value Value::operator[](std::string_view key) const {
  if (const auto* bulk = std::get_if<Bulk>(&held_)) {
    simdjson::dom::object object;
    Bulk found;
    if (bulk->get_object().get(object) == simdjson::SUCCESS &&
        object.at_key(key).get(found) == simdjson::SUCCESS)
      return Value(found);
  } else if (is_object()) {
    const json& object = **std::get_if<Tree>(&held_);
    if (const auto found = object.find(std::string(key)); found != object.end())
      return Value(*found);
  }
  return {};
}

std::string Value::shown() const {
  if (const auto* bulk = std::get_if<Bulk>(&held_)) return shortened(simdjson::minify(*bulk));
  const auto* tree = std::get_if<Tree>(&held_);
  return tree == nullptr ? "null" : document::shown(**tree);
}

}  // namespace weft::document

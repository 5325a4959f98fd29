// SPDX-License-Identifier: Apache-2.0
#include "lab/field.h"

#include <fmt/format.h>

namespace weft::lab {

using nlohmann::json;

Field Field::at(const cluster::Document& document, const std::string& pointer) {
  const json::json_pointer path(pointer);
  return {document, pointer, document.value.contains(path) ? &document.value.at(path) : nullptr};
}

Field Field::operator[](std::string_view key) const {
  const json* child = nullptr;
  if (present() && value_->is_object()) {
    const auto found = value_->find(std::string(key));
    if (found != value_->end()) child = &*found;
  }
  return {*document_, cluster::field_pointer(pointer_, key), child};
}

std::vector<Field> Field::items() const {
  std::vector<Field> fields;
  if (!present() || !value_->is_array()) return fields;
  for (std::size_t i = 0; i < value_->size(); ++i) {
    fields.push_back({*document_, fmt::format("{}/{}", pointer_, i), &(*value_)[i]});
  }
  return fields;
}

Result<std::string> Field::text(std::string otherwise) const {
  if (!present()) return otherwise;
  if (!value_->is_string()) return refuse("must be a string");
  return value_->get<std::string>();
}

Result<bool> Field::boolean() const {
  if (!present()) return false;
  if (!value_->is_boolean()) return refuse("must be true or false");
  return value_->get<bool>();
}

Result<int> Field::number(int otherwise, int least, int most) const {
  if (!present()) return otherwise;
  if (!value_->is_number_integer() || value_->get<std::int64_t>() < least ||
      value_->get<std::int64_t>() > most) {
    return refuse(fmt::format("must be a number from {} to {}", least, most));
  }
  return value_->get<int>();
}

Result<std::vector<std::string>> Field::texts() const {
  std::vector<std::string> strings;
  if (present() && !value_->is_array()) return refuse("must be a list of strings");
  for (const Field& item : items()) {
    if (!item.present()) return item.refuse("must be a string");
    WEFT_ASSIGN(std::string string, item.text());
    strings.push_back(std::move(string));
  }
  return strings;
}

Result<model::Labels> Field::labels() const {
  model::Labels found;
  if (!present()) return found;
  if (!value_->is_object()) return refuse("must be a map of strings");
  for (const auto& [key, value] : value_->items()) {
    if (!value.is_string()) return (*this)[key].refuse("must be a string");
    found.emplace(key, value.get<std::string>());
  }
  return found;
}

Failure Field::refuse(std::string_view message) const {
  return cluster::fail_at(*document_, pointer_, message);
}

}  // namespace weft::lab

// SPDX-License-Identifier: Apache-2.0
//
// Value: one JSON value, of simdjson's (bulk) or of nlohmann's (what has lines, and what YAML
// became), so that whoever reads need not know which; nothing where the field is missing.
// Refers to the document it is of. Pure.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weft::document {

class Value {
 public:
  Value() = default;
  explicit Value(simdjson::dom::element value) : held_(value) {}
  explicit Value(const nlohmann::json& value) : held_(&value) {}

  bool is_there() const { return !std::holds_alternative<std::monostate>(held_); }
  bool is_set() const;  // there, and not null
  bool is_object() const;
  bool is_list() const;

  // Nothing where it is of another type.
  std::optional<std::string_view> text() const;
  std::optional<bool> flag() const;
  std::optional<std::int64_t> number() const;
  // Nothing where it is no object, too.
  Value operator[](std::string_view key) const;

  // The elements of a list.
  template <class Visit>
  void each(Visit visit) const {
    if (const auto* bulk = std::get_if<simdjson::dom::element>(&held_)) {
      simdjson::dom::array array;
      if (bulk->get_array().get(array) != simdjson::SUCCESS) return;
      for (const simdjson::dom::element element : array) visit(Value(element));
    } else if (is_list()) {
      for (const nlohmann::json& element : **std::get_if<Tree>(&held_)) visit(Value(element));
    }
  }

  // The members of an object: visit(key, value).
  template <class Visit>
  void each_member(Visit visit) const {
    if (const auto* bulk = std::get_if<simdjson::dom::element>(&held_)) {
      simdjson::dom::object object;
      if (bulk->get_object().get(object) != simdjson::SUCCESS) return;
      for (const auto& [key, value] : object) visit(key, Value(value));
    } else if (is_object()) {
      for (const auto& [key, value] : (*std::get_if<Tree>(&held_))->items())
        visit(std::string_view(key), Value(value));
    }
  }

  std::vector<Value> items() const {
    std::vector<Value> items;
    each([&](const Value& element) { items.push_back(element); });
    return items;
  }

  // As errors show it: JSON on one line, shortened.
  std::string shown() const;

 private:
  using Tree = const nlohmann::json*;
  std::variant<std::monostate, simdjson::dom::element, Tree> held_{};
};

}  // namespace weft::document

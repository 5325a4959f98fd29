// SPDX-License-Identifier: Apache-2.0
//
// Field: one value of an object in JSON and the way to it, for decoders. A missing field and one
// that is null read as their default, as the API has it; a value of the wrong type or out of range
// is the object's error (the first one counts), which names the field and the value. Reading goes
// on after an error, so that decoders need no branches: ask error() at the end.
//
//   std::optional<FieldError> error;
//   const Field object(element, error);
//   service.type = object["spec"]["type"].text("ClusterIP");
//   object["spec"]["ports"].each([&](const Field& port) { … port["port"].number(1, 65535) … });
//   if (error) …                                      // "/spec/ports/0/port": must be a number …
//
// A Field is a value: copied freely, good as long as the simdjson document and the error are.
#pragma once

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "model/objects.h"

namespace weft::cluster {

struct FieldError {
  std::string pointer{};  // JSON pointer within the object
  std::string message{};
};

class Field {
 public:
  Field(simdjson::dom::element object, std::optional<FieldError>& error)
      : value_(object), error_(&error) {}

  // A member of an object (what is neither object nor missing is refused).
  Field operator[](std::string_view key) const;
  bool is_set() const { return value_.has_value(); }

  std::string text(std::string_view otherwise = "") const;
  bool flag(bool otherwise) const;
  // From `low` to `high`; `low - 1`, of which no field makes use, where it is missing.
  std::int64_t number(std::int64_t low, std::int64_t high) const;
  std::uint16_t port() const;  // 1 to 65535; 0 where it is missing
  IpAddress address() const;
  // One that packets can go to on any node, as the API server has it (ValidateNonSpecialIP in
  // k8s.io/kubernetes/pkg/apis/core/validation), and no multicast of any kind.
  IpAddress unicast_address() const;
  Prefix network() const;  // "10.244.1.0/24", without host bits
  model::Labels labels() const;

  // The elements of an array.
  template <class Visit>
  void each(Visit visit) const {
    if (!value_) return;
    simdjson::dom::array array;
    if (value_->get_array().get(array) != simdjson::SUCCESS) return refuse("must be a list");
    std::size_t index = 0;
    for (const simdjson::dom::element element : array) visit(step({}, index++, element));
  }

  // Makes "<demand>, not <value>" the error, or "<demand>" for a missing field.
  void refuse(std::string_view demand) const;

 private:
  struct Step {
    std::string_view key{};  // nothing: an index
    std::size_t index = 0;
  };
  static constexpr std::size_t kDepth = 6;  // deeper fields are told as what encloses them

  Field step(std::string_view key, std::size_t index,
             std::optional<simdjson::dom::element> value) const;
  std::string pointer() const;

  std::optional<simdjson::dom::element> value_;
  std::optional<FieldError>* error_;
  std::array<Step, kDepth> steps_{};
  std::size_t depth_ = 0;
};

}  // namespace weft::cluster

// SPDX-License-Identifier: Apache-2.0
//
// Field: one value of a document and the way to it; the one strict reader of manifests, of what the
// lab admits and of the agent's configuration. A missing field and one that is null read as their
// default, as the API has it; a value of the wrong type or out of range is the document's error
// (the first one counts), which names the field and the value. Reading goes on after an error, so
// that decoders need no branches: ask for the error at the end.
//
//   Reading reading(document);  // or with an error of one's own, for bulk
//   const Field spec = reading.root()["spec"];
//   service.type = spec["type"].text("ClusterIP");
//   spec["ports"].each([&](const Field& port) { … port["port"].number(1, 65535) … });
//   WEFT_TRY(reading.outcome());  // web.yaml:7: Service default/web: spec.ports[0].port: must be …
//
// A Field is a value: copied freely, good as long as what it reads and the error are.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "document/value.h"

namespace weft::document {

struct FieldError {
  std::string pointer{};  // JSON pointer within the document
  std::string message{};
};

class Field {
 public:
  Field(Value document, std::optional<FieldError>& error) : value_(document), error_(&error) {}

  // A member of an object (what is neither object nor missing is refused).
  Field operator[](std::string_view key) const;
  Field at(std::string_view pointer) const;  // "/spec/template"
  bool is_set() const { return value_.is_set(); }
  bool is_there() const { return value_.is_there(); }  // though it may be null
  const Value& value() const { return value_; }

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
  std::vector<std::string> texts() const;
  std::map<std::string, std::string> labels() const;

  std::vector<Field> items() const;  // of a list
  // The same one by one.
  template <class Visit>
  void each(Visit visit) const {
    if (!value_.is_set()) return;
    if (!value_.is_list()) refuse("must be a list");
    std::size_t index = 0;
    value_.each([&](const Value& element) { visit(step({}, index++, element)); });
  }

  // Makes "<demand>, not <value>" the error, or "<demand>" for a missing field.
  void refuse(std::string_view demand) const;
  // Makes `message` the error as it stands.
  void refuse_as(std::string message) const;
  bool has_error() const { return error_->has_value(); }  // this one or another before

 private:
  struct Step {
    std::string_view key{};  // nothing: an index
    std::size_t index = 0;
  };
  static constexpr std::size_t kDepth = 10;  // deeper fields are told as what encloses them

  Field step(std::string_view key, std::size_t index, const Value& value) const;
  std::string pointer() const;

  Value value_;
  std::optional<FieldError>* error_;
  std::array<Step, kDepth> steps_{};
  std::size_t depth_ = 0;
};

}  // namespace weft::document

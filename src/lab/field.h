// SPDX-License-Identifier: Apache-2.0
//
// One field of a manifest, present or not, with the place it stands at, so that decoders read what
// they expect and every refusal names file, line and field. Refers to its document. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/manifests/document.h"
#include "model/objects.h"

namespace weft::lab {

class Field {
 public:
  // The field at a JSON pointer: "/spec".
  static Field at(const cluster::Document& document, const std::string& pointer);

  bool present() const { return value_ != nullptr && !value_->is_null(); }
  const nlohmann::json& value() const { return *value_; }  // of one that is present
  Field operator[](std::string_view key) const;
  std::vector<Field> items() const;  // of a list; none otherwise

  // Absent gives `otherwise` (nothing, false); another type than expected is refused.
  Result<std::string> text(std::string otherwise = {}) const;
  Result<bool> boolean() const;
  Result<int> number(int otherwise, int least, int most) const;
  Result<std::vector<std::string>> texts() const;
  Result<model::Labels> labels() const;

  Failure refuse(std::string_view message) const;

 private:
  Field(const cluster::Document& document, std::string pointer, const nlohmann::json* value)
      : document_(&document), pointer_(std::move(pointer)), value_(value) {}

  const cluster::Document* document_;
  std::string pointer_;
  const nlohmann::json* value_;
};

}  // namespace weft::lab

// SPDX-License-Identifier: Apache-2.0
// The reading of one Document: its fields, and at the end the first thing that was wrong with them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "document/document.h"
#include "document/field.h"

namespace weft::document {

class Reading {
 public:
  explicit Reading(const Document& document) : document_(document) {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  Field root() { return {Value(document_.value), error_}; }

  // "web.yaml:12: Deployment default/web: spec.replicas: must be a number from 0 to 1000, not -1".
  Result<> outcome() const {
    if (!error_) return {};
    const std::string_view what = error_->pointer.empty() ? "document: " : "";
    return fail_at(document_, error_->pointer, std::string(what) + error_->message);
  }

 private:
  const Document& document_;
  std::optional<FieldError> error_{};
};

}  // namespace weft::document

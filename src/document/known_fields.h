// SPDX-License-Identifier: Apache-2.0
//
// KnownFields: an object of a configuration, in which every field must be known and null is a value
// like any other: each known field is read by name with a decoder, and done() refuses what nobody
// asked for, because a setting that is silently not taken is found at 3 a.m. As with all fields,
// the first error counts.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "document/field.h"

namespace weft::document {

class KnownFields {
 public:
  // One that is not there reads as an object without fields.
  explicit KnownFields(const Field& object);

  // `decode` is Result<T>(const Value&); its error says what is wrong with the value.
  template <class T, class Decode>
  void optional(const char* name, T& out, Decode decode) {
    known_.insert(name);
    const Field field = object_[name];
    if (!field.is_there() || object_.has_error()) return;
    if (auto decoded = decode(field.value()))
      out = std::move(*decoded);
    else
      field.refuse_as(decoded.error().message);
  }
  template <class T, class Decode>
  void required(const char* name, T& out, Decode decode) {
    if (!object_[name].is_there()) object_[name].refuse_as("is required");
    optional(name, out, decode);
  }
  KnownFields object(const char* name);

  // After all fields: what is left over is an error.
  void done() const;

 private:
  Field object_;
  std::set<std::string, std::less<>> known_{};
};

}  // namespace weft::document

// SPDX-License-Identifier: Apache-2.0
//
// Strict reading of one object of a configuration document: each known field is read by name with a
// decoder, and done() refuses what nobody asked for. The first error of a document is kept, with
// file, line and field in front; what is read after it changes nothing.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "cluster/manifests/document.h"

namespace weft::agent {

class Fields {
 public:
  // `pointer` is the object's place in the document ("" = the whole).
  Fields(const cluster::Document& document, std::string pointer, std::optional<Error>& error);

  // `decode` is Result<T>(const nlohmann::json&); its error says what is wrong with the value.
  template <class T, class Decode>
  void optional(const char* name, T& out, Decode decode) {
    const nlohmann::json* value = take(name);
    if (value == nullptr || error_) return;
    auto decoded = decode(*value);
    if (decoded)
      out = std::move(*decoded);
    else
      refuse(name, decoded.error().message);
  }
  template <class T, class Decode>
  void required(const char* name, T& out, Decode decode) {
    if (!has(name)) refuse(name, "is required");
    optional(name, out, decode);
  }
  // A field that is an object itself; one that is not there reads as an empty one.
  Fields object(const char* name);

  // After all fields: what is left over is an error.
  void done();

 private:
  bool has(const char* name) const { return object_->contains(name); }
  const nlohmann::json* take(const char* name);
  void refuse(const std::string& name, std::string_view message);

  const cluster::Document& document_;
  std::string pointer_;
  std::optional<Error>& error_;
  const nlohmann::json* object_ = nullptr;
  std::set<std::string> known_{};
};

}  // namespace weft::agent

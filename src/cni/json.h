// SPDX-License-Identifier: Apache-2.0
//
// JSON for the CNI formats: parsing and printing without exceptions, and a reader of objects that
// is strict about types. A reader keeps the first fault and goes on with defaults, so that a
// decoder reads as the list of its fields:
//
//   ObjectReader reader(json, "ipam");
//   spec.data_directory = reader.text("dataDir", kDefault);
//   CNI_TRY(reader.done());        // code 6 or 7: "ipam.dataDir: 7 is not a string"
//
// As in the reference (Go), null counts as absent and unknown keys are left alone.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "cni/error.h"

namespace weft::cni {

using Json = nlohmann::ordered_json;

// Fails with code 6.
Outcome<Json> parse_json(std::string_view text);
std::string print_json(const Json& json);  // indented by four spaces, as the reference prints
std::string print_compact(const Json& json);

class ObjectReader {
 public:
  // `json` must outlive the reader. `path`: what messages put before the field's name.
  ObjectReader(const Json& json, std::string path);

  bool boolean(const char* key);  // false when absent
  std::optional<std::int64_t> integer(const char* key, std::int64_t least, std::int64_t most);
  std::optional<std::uint32_t> number(const char* key);
  std::string text(const char* key, std::string fallback = {});
  std::vector<std::string> texts(const char* key);
  std::optional<IpAddress> address(const char* key);
  std::optional<Prefix> prefix(const char* key);  // with its length: a bare address is refused
  std::optional<MacAddress> mac(const char* key);

  const Json* object(const char* key);  // nullptr when absent
  // Calls `each` for an array's elements with their paths ("ranges[0]").
  void array(const char* key, const std::function<void(const Json&, const std::string&)>& each);

  std::string path_of(std::string_view key) const;
  // Keeps the first fault; for rules beyond types, and for readers of nested objects.
  void fault(CniError error);
  void merge(const ObjectReader& nested) {
    if (nested.fault_) fault(*nested.fault_);
  }
  Outcome<> done() const;

 private:
  const Json* find(const char* key) const;
  void mistyped(std::string_view key, const Json& value, std::string_view wanted);
  template <class T>
  std::optional<T> parsed(const char* key, Result<T> (*parse)(std::string_view));

  const Json& json_;
  std::string path_;
  std::optional<CniError> fault_{};
};

// "10.0.0.1/24" as the CNI formats write it: the length may not be left out.
Result<Prefix> parse_cidr(std::string_view text);

}  // namespace weft::cni

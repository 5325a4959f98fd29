// SPDX-License-Identifier: Apache-2.0
#include "cni/json.h"

#include <limits>

namespace weft::cni {

Outcome<Json> parse_json(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    constexpr std::size_t kShown = 80;
    return fail(ErrorCode::kDecodeFailure, "not valid JSON",
                "\"" + std::string(text.substr(0, kShown)) + "\"");
  }
  return json;
}

std::string print_json(const Json& json) {
  return json.dump(4, ' ', false, Json::error_handler_t::replace);
}

std::string print_compact(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Prefix> parse_cidr(std::string_view text) {
  if (text.find('/') == std::string_view::npos)
    return weft::fail("\"" + std::string(text) + "\" is not an address with a prefix length");
  return Prefix::parse(text);
}

ObjectReader::ObjectReader(const Json& json, std::string path)
    : json_(json), path_(std::move(path)) {
  if (!json.is_object())
    fault({ErrorCode::kDecodeFailure,
           (path_.empty() ? "" : path_ + ": ") + print_compact(json) + " is not an object"});
}

std::string ObjectReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void ObjectReader::fault(CniError error) {
  if (!fault_) fault_ = std::move(error);
}

Outcome<> ObjectReader::done() const {
  if (fault_) return CniFailure(*fault_);
  return {};
}

const Json* ObjectReader::find(const char* key) const {
  if (!json_.is_object()) return nullptr;
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

void ObjectReader::mistyped(std::string_view key, const Json& value, std::string_view wanted) {
  fault({ErrorCode::kDecodeFailure,
         path_of(key) + ": " + print_compact(value) + " is not " + std::string(wanted)});
}

bool ObjectReader::boolean(const char* key) {
  const Json* value = find(key);
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  mistyped(key, *value, "a boolean");
  return false;
}

std::optional<std::int64_t> ObjectReader::integer(const char* key, std::int64_t least,
                                                  std::int64_t most) {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer()) {
    mistyped(key, *value, "an integer");
    return std::nullopt;
  }
  const bool too_large =
      value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(most);
  if (too_large || value->get<std::int64_t>() < least || value->get<std::int64_t>() > most) {
    fault({ErrorCode::kInvalidConfig, path_of(key) + ": " + print_compact(*value) +
                                          " is not within " + std::to_string(least) + " to " +
                                          std::to_string(most)});
    return std::nullopt;
  }
  return value->get<std::int64_t>();
}

std::optional<std::uint32_t> ObjectReader::number(const char* key) {
  const std::optional<std::int64_t> value =
      integer(key, 0, std::numeric_limits<std::uint32_t>::max());
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

std::string ObjectReader::text(const char* key, std::string fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (value->is_string()) return value->get<std::string>();
  mistyped(key, *value, "a string");
  return fallback;
}

std::vector<std::string> ObjectReader::texts(const char* key) {
  std::vector<std::string> texts;
  array(key, [&](const Json& element, const std::string& path) {
    if (element.is_string())
      texts.push_back(element.get<std::string>());
    else
      fault({ErrorCode::kDecodeFailure, path + ": " + print_compact(element) + " is not a string"});
  });
  return texts;
}

template <class T>
std::optional<T> ObjectReader::parsed(const char* key, Result<T> (*parse)(std::string_view)) {
  const std::string value = text(key);
  if (value.empty()) return std::nullopt;
  Result<T> result = parse(value);
  if (result) return std::move(*result);
  fault({ErrorCode::kInvalidConfig, path_of(key) + ": " + result.error().message});
  return std::nullopt;
}

std::optional<IpAddress> ObjectReader::address(const char* key) {
  return parsed<IpAddress>(key, IpAddress::parse);
}

std::optional<Prefix> ObjectReader::prefix(const char* key) {
  return parsed<Prefix>(key, parse_cidr);
}

std::optional<MacAddress> ObjectReader::mac(const char* key) {
  return parsed<MacAddress>(key, MacAddress::parse);
}

const Json* ObjectReader::object(const char* key) {
  const Json* value = find(key);
  if (value == nullptr || value->is_object()) return value;
  mistyped(key, *value, "an object");
  return nullptr;
}

void ObjectReader::array(const char* key,
                         const std::function<void(const Json&, const std::string&)>& each) {
  const Json* value = find(key);
  if (value == nullptr) return;
  if (!value->is_array()) return mistyped(key, *value, "an array");
  for (std::size_t index = 0; index < value->size(); ++index)
    each((*value)[index], path_of(key) + "[" + std::to_string(index) + "]");
}

}  // namespace weft::cni

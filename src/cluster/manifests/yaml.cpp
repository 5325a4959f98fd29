// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/yaml.h"

#include <fmt/core.h>
#include <simdjson.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace weft::cluster {
namespace {

constexpr int kDepthLimit = 100;  // deeper is an alias that contains itself

struct YamlError {
  int line = 0;
  std::string message{};
};

template <class Number>
std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> real_number(const std::string& text) {
  // Digits with a point or an exponent; "inf" and "nan", which strtod reads too, have no JSON form.
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return std::nullopt;
  if (text.find_first_of("0123456789") == std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (*end != '\0' || !std::isfinite(number)) return std::nullopt;
  return number;
}

// Integers as YAML 1.1 has them: a leading 0 is octal (file modes), 0x hexadecimal.
std::optional<nlohmann::json> integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x"))
    base = 16, text.remove_prefix(2);
  else if (text.starts_with("0o"))
    base = 8, text.remove_prefix(2);
  else if (text.size() > 1 && text.starts_with('0'))
    base = 8, text.remove_prefix(1);
  if (text.empty() || text.starts_with('-')) return std::nullopt;
  if (!negative)
    if (const auto number = whole_number<std::uint64_t>(text, base)) return nlohmann::json(*number);
  if (const auto number = whole_number<std::int64_t>(text, base); number && negative)
    return nlohmann::json(-*number);
  return std::nullopt;
}

nlohmann::json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  const bool plain = node.Tag() == "?" || node.Tag().empty();
  if (!plain) return text;  // quoted, block, or tagged: a string
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (const auto number = integer(text)) return *number;
  if (const auto number = real_number(text)) return *number;
  return text;
}

// Builds the JSON and the lines; the first thing it refuses is in error().
class Converter {
 public:
  explicit Converter(FieldLines& lines) : lines_(lines) {}

  const std::optional<YamlError>& error() const { return error_; }

  nlohmann::json convert(const YAML::Node& node, const std::string& pointer, int depth = 0) {
    const int line = node.Mark().line + 1;
    if (depth > kDepthLimit) return refuse(line, "is nested too deeply");
    lines_.emplace(pointer, line);
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        check_utf8(node.Scalar(), line, pointer);
        return scalar(node);
      case YAML::NodeType::Sequence:
        return sequence(node, pointer, depth);
      case YAML::NodeType::Map:
        return mapping(node, pointer, depth);
      default:
        return nullptr;
    }
  }

 private:
  nlohmann::json sequence(const YAML::Node& node, const std::string& pointer, int depth) {
    nlohmann::json array = nlohmann::json::array();
    for (const YAML::Node& item : node)
      array.push_back(
          convert(item, field_pointer(pointer, std::to_string(array.size())), depth + 1));
    return array;
  }

  nlohmann::json mapping(const YAML::Node& node, const std::string& pointer, int depth) {
    nlohmann::json object = nlohmann::json::object();
    nlohmann::json merged = nlohmann::json::object();
    for (const auto& entry : node) {
      const YAML::Node& key = entry.first;
      const int line = key.Mark().line + 1;
      if (!key.IsScalar()) return refuse(line, "a field's name must be a string");
      if (key.Scalar() == "<<" && key.Tag() == "?") {
        merge(entry.second, merged, line, depth);
        continue;
      }
      check_utf8(key.Scalar(), line, pointer);
      const std::string field = field_pointer(pointer, key.Scalar());
      if (object.contains(key.Scalar())) return refuse(line, field_path(field) + " is given twice");
      lines_[field] = line;  // the key's: an empty value stands nowhere
      object[key.Scalar()] = convert(entry.second, field, depth + 1);
    }
    merged.update(object);
    return merged;
  }

  // A merge key's mapping, or list of mappings of which the first to have a field wins. Their
  // fields stand elsewhere, so they get no lines here.
  void merge(const YAML::Node& node, nlohmann::json& into, int line, int depth) {
    FieldLines elsewhere;
    Converter converter(elsewhere);
    const nlohmann::json value = converter.convert(node, "", depth + 1);
    if (converter.error()) refuse(converter.error()->line, converter.error()->message);
    for (const nlohmann::json& mapping :
         value.is_array() ? value : nlohmann::json::array({value})) {
      if (!mapping.is_object()) refuse(line, "<< needs a mapping");
      for (const auto& [key, field] : mapping.items())
        if (!into.contains(key)) into[key] = field;
    }
  }

  // YAML is Unicode, but yaml-cpp passes on whatever bytes it finds.
  void check_utf8(const std::string& text, int line, const std::string& pointer) {
    if (!simdjson::validate_utf8(text)) refuse(line, not_utf8(pointer, text));
  }

  nlohmann::json refuse(int line, std::string message) {
    if (!error_) error_ = YamlError{line, std::move(message)};
    return nullptr;
  }

  FieldLines& lines_;
  std::optional<YamlError> error_{};
};

}  // namespace

Result<std::vector<Document>> parse_yaml(std::string_view text, std::string_view file) {
  std::vector<Document> documents;
  try {
    for (const YAML::Node& node : YAML::LoadAll(std::string(text))) {
      if (!node.IsDefined() || node.IsNull()) continue;
      Document& document = documents.emplace_back();
      document.file = file;
      document.line = node.Mark().line + 1;
      Converter converter(document.lines);
      document.value = converter.convert(node, "");
      if (converter.error())
        return fail(
            fmt::format("{}:{}: {}", file, converter.error()->line, converter.error()->message));
    }
  } catch (const YAML::Exception& error) {
    return fail(fmt::format("{}:{}: {}", file, error.mark.line + 1, error.msg));
  }
  return documents;
}

}  // namespace weft::cluster

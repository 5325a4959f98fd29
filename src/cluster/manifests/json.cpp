// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/json.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>

namespace weft::cluster {
namespace {

namespace ondemand = simdjson::ondemand;

// nlohmann/json keeps no positions, so the lines come from a second pass by simdjson. The text is
// valid by then: what fails here is only depth beyond simdjson's limit, whose fields get no lines.
class LineCollector {
 public:
  LineCollector(const char* text, FieldLines& lines) : at_(text), lines_(lines) {}

  void collect(ondemand::value value, const std::string& pointer) {
    lines_.emplace(pointer, line_at(value.raw_json_token().data()));
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return;
    if (type == ondemand::json_type::object) collect_members(value, pointer);
    if (type == ondemand::json_type::array) collect_elements(value, pointer);
  }

 private:
  void collect_members(ondemand::value value, const std::string& pointer) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return;
    for (auto field : object) {
      std::string_view key;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) return;
      const std::string name = field_pointer(pointer, key);
      ondemand::value member;
      if (field.value().get(member) != simdjson::SUCCESS) return;
      collect(member, name);
    }
  }

  void collect_elements(ondemand::value value, const std::string& pointer) {
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return;
    std::size_t index = 0;
    for (auto item : array) {
      ondemand::value element;
      if (item.get(element) != simdjson::SUCCESS) return;
      collect(element, field_pointer(pointer, std::to_string(index++)));
    }
  }

  int line_at(const char* position) {  // positions only grow
    line_ += static_cast<int>(std::count(at_, position, '\n'));
    at_ = position;
    return line_;
  }

  const char* at_;
  int line_ = 1;
  FieldLines& lines_;
};

FieldLines lines_of(std::string_view text) {
  FieldLines lines;
  const simdjson::padded_string padded(text);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::value value;
  if (parser.iterate(padded).get(document) == simdjson::SUCCESS &&
      document.get_value().get(value) == simdjson::SUCCESS)
    LineCollector(padded.data(), lines).collect(value, "");
  return lines;
}

}  // namespace

Result<Document> parse_json(std::string_view text, std::string_view file) {
  Document document;
  document.file = file;
  try {
    document.value = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    const std::size_t read = std::min(error.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<long>(read), '\n');
    std::string_view what = error.what();  // "[json.exception…] parse error at line 3, column 5: …"
    if (const auto column = what.find("column "); column != std::string_view::npos)
      what.remove_prefix(column);
    return fail(fmt::format("{}:{}: {}", file, line, what));
  }
  document.lines = lines_of(text);
  document.line = line_in(document.lines, "", 1);
  return document;
}

}  // namespace weft::cluster

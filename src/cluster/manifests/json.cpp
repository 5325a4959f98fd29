// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/json.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <vector>

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

// Builds the value, and knows where in it the text goes wrong, which nlohmann/json does not tell of
// numbers that are too large. Ends at the first error.
class ValueBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  struct Problem {
    std::size_t offset = 0;  // of the first byte after it
    std::string message{};
  };
  const std::optional<Problem>& problem() const { return problem_; }
  nlohmann::json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(nlohmann::json::binary_t&) override { return false; }  // not in text
  bool start_object(std::size_t) override { return open(nlohmann::json::object()); }
  bool start_array(std::size_t) override { return open(nlohmann::json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    levels_.back().key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t offset, const std::string& read,
                   const nlohmann::json::exception& error) override {
    problem_ = Problem{offset, explain(read, error)};
    return false;
  }

 private:
  struct Level {
    nlohmann::json* value = nullptr;
    std::string key{};  // of the member that is being read; "" between two
  };

  nlohmann::json& put(nlohmann::json value) {
    if (levels_.empty()) return root_ = std::move(value);
    const Level& level = levels_.back();
    if (level.value->is_array()) return level.value->emplace_back(std::move(value));
    return (*level.value)[level.key] = std::move(value);
  }
  bool add(nlohmann::json value) {
    put(std::move(value));
    return end_member();
  }
  bool open(nlohmann::json value) {
    levels_.push_back({&put(std::move(value)), ""});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return end_member();
  }
  bool end_member() {
    if (!levels_.empty()) levels_.back().key.clear();
    return true;
  }

  // The value that comes next, or is being read.
  std::string pointer() const {
    std::string pointer;
    for (const Level& level : levels_) {
      const bool last = &level == &levels_.back();
      if (level.value->is_array())
        pointer = field_pointer(pointer, std::to_string(level.value->size() - (last ? 0 : 1)));
      else if (!level.key.empty())
        pointer = field_pointer(pointer, level.key);
    }
    return pointer;
  }

  std::string explain(std::string_view read, const nlohmann::json::exception& error) const {
    constexpr int kNumberOverflow = 406;
    if (error.id == kNumberOverflow)
      return fmt::format("{}: {} is too large a number", field_path(pointer()),
                         shortened(std::string(read)));
    if (!simdjson::validate_utf8(read.data(), read.size())) {
      if (read.starts_with('"')) read.remove_prefix(1);
      if (read.ends_with('"')) read.remove_suffix(1);
      return not_utf8(pointer(), read);
    }
    std::string_view what = error.what();  // "[json.exception…] parse error at line 3, column 5: …"
    if (const auto column = what.find("column "); column != std::string_view::npos)
      what.remove_prefix(column);
    return std::string(what);
  }

  nlohmann::json root_{};
  std::vector<Level> levels_{};  // what is open; the pointers hold, as only the last one grows
  std::optional<Problem> problem_{};
};

}  // namespace

Result<Document> parse_json(std::string_view text, std::string_view file) {
  ValueBuilder builder;
  nlohmann::json::sax_parse(text, &builder);
  if (const auto& problem = builder.problem()) {
    const auto end = static_cast<long>(std::min(problem->offset, text.size()));
    const auto line = 1 + std::count(text.begin(), text.begin() + end, '\n');
    return fail(fmt::format("{}:{}: {}", file, line, problem->message));
  }
  Document document;
  document.file = file;
  document.value = builder.take();
  document.lines = lines_of(text);
  document.line = line_in(document.lines, "", 1);
  return document;
}

}  // namespace weft::cluster

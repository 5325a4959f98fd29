// SPDX-License-Identifier: Apache-2.0
#include "document/json.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <iterator>
#include <optional>
#include <vector>

namespace weft::document {
namespace {

using nlohmann::json;

// Goes through the text and notes the line of the last character that was read. The parser reads
// only the one that follows a number ahead of what it tells.
class Reader {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Reader(const char* at, int* line) : at_(at), line_(line) {}

  reference operator*() const { return *at_; }
  Reader& operator++() {
    if (std::exchange(after_newline_, *at_ == '\n')) ++*line_;
    ++at_;
    return *this;
  }
  bool operator==(const Reader& other) const { return at_ == other.at_; }
  bool operator!=(const Reader& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  int* line_;
  bool after_newline_ = false;
};

// Builds the Document; ends at the first thing it refuses.
class Builder final : public nlohmann::json_sax<json> {
 public:
  Builder(Document& document, const int& line) : document_(document), line_(line) {}

  const std::string& problem() const { return problem_; }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string& text) override {
    const bool integer = text.find_first_of(".eE") == std::string::npos;
    return integer ? refuse(too_large(text)) : add(value);
  }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(json::binary_t&) override { return false; }  // not in text
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    levels_.back().key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t, const std::string& read, const json::exception& error) override {
    return refuse(explain(read, error));
  }

 private:
  struct Level {
    json* value = nullptr;  // stands still, as only the last one grows
    std::string pointer{};
    std::string key{};  // of the member that is being read; "" between two
  };

  // Of the value that comes next.
  std::string pointer() const {
    if (levels_.empty()) return "";
    const Level& level = levels_.back();
    if (level.value->is_array())
      return field_pointer(level.pointer, std::to_string(level.value->size()));
    return level.key.empty() ? level.pointer : field_pointer(level.pointer, level.key);
  }

  json& put(const std::string& pointer, json value) {
    document_.lines.emplace(pointer, line_);
    if (levels_.empty()) return document_.value = std::move(value);
    const Level& level = levels_.back();
    if (level.value->is_array()) return level.value->emplace_back(std::move(value));
    return (*level.value)[level.key] = std::move(value);
  }
  bool add(json value) {
    put(pointer(), std::move(value));
    return end_member();
  }
  bool open(json value) {
    if (levels_.size() >= kDepthLimit) return refuse(std::string(kTooDeep));
    const std::string at = pointer();
    json& opened = put(at, std::move(value));
    levels_.push_back({&opened, at, ""});
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

  bool refuse(std::string message) {
    problem_ = std::move(message);
    return false;
  }
  std::string too_large(const std::string& number) const {
    return fmt::format("{}: {} is too large a number", field_path(pointer()), shortened(number));
  }
  std::string explain(std::string_view read, const json::exception& error) const {
    constexpr int kNumberOverflow = 406;
    if (error.id == kNumberOverflow) return too_large(std::string(read));
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

  Document& document_;
  const int& line_;
  std::vector<Level> levels_{};  // what is open
  std::string problem_{};
};

}  // namespace

Result<Document> parse_json(std::string_view text, std::string_view file, int first_line) {
  Document document;
  document.file = file;
  int line = first_line;
  Builder builder(document, line);
  const bool good = json::sax_parse(Reader(text.data(), &line),
                                    Reader(text.data() + text.size(), &line), &builder);
  if (!good) return fail(fmt::format("{}:{}: {}", file, line, builder.problem()));
  document.line = line_in(document.lines, "", first_line);
  return document;
}

}  // namespace weft::document

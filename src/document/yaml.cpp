// SPDX-License-Identifier: Apache-2.0
#include "document/yaml.h"

#include <fmt/core.h>
#include <simdjson.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>

namespace weft::document {
namespace {

using nlohmann::json;

// What anchors and aliases may copy beyond a few times the text: aliases of lists of aliases grow
// by powers.
constexpr std::size_t kAliasedBytes = 100'000;

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
std::optional<json> integer(std::string_view text) {
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
    if (const auto number = whole_number<std::uint64_t>(text, base)) return json(*number);
  if (const auto number = whole_number<std::int64_t>(text, base); number && negative)
    return json(-*number);
  return std::nullopt;
}

json scalar(const std::string& text, bool plain) {
  if (!plain) return text;  // quoted, block, or tagged: a string
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (const auto number = integer(text)) return *number;
  if (const auto number = real_number(text)) return *number;
  return text;
}

// Makes one Document of the parser's events; after the first thing it refuses it heeds no more.
// Events and not YAML::Load's nodes: those are slow and large, and LoadAll does not end where the
// parser stands still.
class Builder final : public YAML::EventHandler {
 public:
  struct Problem {
    int line = 0;
    std::string message{};
  };

  // `budget`: the bytes, about, that anchors and aliases may yet copy.
  Builder(Document& document, std::size_t& budget) : document_(document), budget_(budget) {}

  const std::optional<Problem>& problem() const { return problem_; }
  int begin() const { return begin_; }

  void OnDocumentStart(const YAML::Mark& mark) override { begin_ = mark.pos; }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, {}); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (problem_) return;
    // YAML is Unicode, but yaml-cpp passes on whatever bytes it finds.
    if (!simdjson::validate_utf8(text)) return refuse(mark, not_utf8(pointer(), text));
    const bool plain = tag.empty() || tag == "?";
    if (!at_key()) return add(mark, anchor, {scalar(text, plain), text.size() + 1});
    if (anchor != YAML::NullAnchor) keep(mark, anchor, {text, text.size() + 1});
    take_key(mark, text, plain && text == "<<");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (problem_) return;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return refuse(mark, "an alias stands for what it is in itself");
    const Node& node = found->second;
    if (at_key() && node.value.is_string())
      return take_key(mark, node.value.get_ref<const std::string&>(), false);
    if (levels_.size() + node.height > kDepthLimit) return refuse(mark, std::string(kTooDeep));
    if (spend(mark, node.size)) add(mark, YAML::NullAnchor, node);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, json::array());
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, json::object());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  // A value, the bytes of text it stands for, and how many levels it has.
  struct Node {
    json value{};
    std::size_t size = 1;
    std::size_t height = 0;
  };
  struct Level {
    Node node{};
    json merged{};  // what merge keys give a mapping
    std::string pointer{};
    std::optional<std::string> key{};  // whose value comes next
    bool merge = false;                // it is a merge key
    YAML::Mark mark{};
    YAML::anchor_t anchor = YAML::NullAnchor;
  };

  bool at_key() const {
    return !levels_.empty() && levels_.back().node.value.is_object() && !levels_.back().key;
  }

  // Of the value that comes next.
  std::string pointer() const {
    if (levels_.empty()) return "";
    const Level& level = levels_.back();
    if (level.key) return field_pointer(level.pointer, *level.key);
    if (level.node.value.is_object()) return level.pointer;
    return field_pointer(level.pointer, std::to_string(level.node.value.size()));
  }

  void take_key(const YAML::Mark& mark, const std::string& name, bool merge) {
    Level& level = levels_.back();
    level.key = name;
    level.merge = merge;
    level.node.size += name.size();
    if (!merge && level.node.value.contains(name))
      return refuse(mark, field_path(pointer()) + " is given twice");
    document_.lines[pointer()] = mark.line + 1;  // the key's: an empty value stands nowhere
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, Node node) {
    if (problem_) return;
    if (at_key()) return refuse(mark, "a field's name must be a string");
    document_.lines.emplace(pointer(), mark.line + 1);
    put(mark, anchor, std::move(node));
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, json empty) {
    if (problem_) return;
    if (at_key()) return refuse(mark, "a field's name must be a string");
    if (levels_.size() >= kDepthLimit) return refuse(mark, std::string(kTooDeep));
    const std::string at = pointer();
    document_.lines.emplace(at, mark.line + 1);
    levels_.push_back({{std::move(empty)}, {}, at, {}, false, mark, anchor});
  }

  void close() {
    if (problem_) return;
    Level level = std::move(levels_.back());
    levels_.pop_back();
    if (level.merged.is_object()) {
      level.merged.update(level.node.value);
      level.node.value = std::move(level.merged);
    }
    ++level.node.height;
    put(level.mark, level.anchor, std::move(level.node));
  }

  void put(const YAML::Mark& mark, YAML::anchor_t anchor, Node node) {
    if (anchor != YAML::NullAnchor) keep(mark, anchor, node);
    if (levels_.empty()) {
      document_.value = std::move(node.value);
      return;
    }
    Level& level = levels_.back();
    level.node.size += node.size;
    level.node.height = std::max(level.node.height, node.height);
    if (level.node.value.is_array())
      level.node.value.push_back(std::move(node.value));
    else if (level.merge)
      merge(mark, node.value, level);
    else
      level.node.value[*level.key] = std::move(node.value);
    level.key.reset();
  }

  // A merge key's mapping, or list of mappings of which the first to have a field wins.
  void merge(const YAML::Mark& mark, const json& value, Level& level) {
    if (level.merged.is_null()) level.merged = json::object();
    for (const json& mapping : value.is_array() ? value : json::array({value})) {
      if (!mapping.is_object()) return refuse(mark, "<< needs a mapping");
      for (const auto& [name, field] : mapping.items())
        if (!level.merged.contains(name)) level.merged[name] = field;
    }
  }

  void keep(const YAML::Mark& mark, YAML::anchor_t anchor, const Node& node) {
    if (spend(mark, node.size)) anchors_[anchor] = node;
  }
  bool spend(const YAML::Mark& mark, std::size_t bytes) {
    if (bytes > budget_) refuse(mark, "aliases make too much of this document");
    if (problem_) return false;
    budget_ -= bytes;
    return true;
  }

  void refuse(const YAML::Mark& mark, std::string message) {
    if (!problem_) problem_ = Problem{mark.line + 1, std::move(message)};
  }

  Document& document_;
  std::size_t& budget_;
  std::vector<Level> levels_{};  // what is open
  std::map<YAML::anchor_t, Node> anchors_{};
  int begin_ = -1;
  std::optional<Problem> problem_{};
};

}  // namespace

Result<std::vector<Document>> parse_yaml(std::string_view text, std::string_view file) {
  if (text.size() > kLargestYaml)
    return fail(fmt::format("{}: is larger than {} MiB, the most for YAML; JSON may have more",
                            file, kLargestYaml >> 20));
  const auto fail_in = [&](int line, std::string_view message) {
    return fail(fmt::format("{}:{}: {}", file, line, message));
  };
  std::vector<Document> documents;
  std::size_t budget = 3 * text.size() + kAliasedBytes;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    for (int last = -1;;) {
      Document document;
      document.file = file;
      Builder builder(document, budget);
      if (!parser.HandleNextDocument(builder)) break;
      document.line = line_in(document.lines, "", 1);
      if (builder.problem()) return fail_in(builder.problem()->line, builder.problem()->message);
      if (builder.begin() == last) return fail_in(document.line, "no document can begin so");
      last = builder.begin();
      if (!document.value.is_null()) documents.push_back(std::move(document));
    }
  } catch (const YAML::DeepRecursion& error) {
    return fail_in(error.mark.line + 1, kTooDeep);
  } catch (const YAML::Exception& error) {
    return fail_in(error.mark.line + 1, error.msg);
  }
  return documents;
}

}  // namespace weft::document

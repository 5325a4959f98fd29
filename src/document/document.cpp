// SPDX-License-Identifier: Apache-2.0
#include "document/document.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "document/json.h"
#include "document/yaml.h"

namespace weft::document {
namespace {

constexpr std::size_t kShownLength = 60;

// The string field at `pointer`, "" where it is missing.
Result<std::string> text_at(const Document& document, const char* pointer) {
  const nlohmann::json::json_pointer at(pointer);
  if (!document.value.contains(at)) return std::string();
  const nlohmann::json& field = document.value[at];
  if (field.is_null()) return std::string();
  if (!field.is_string())
    return fail_at(document, pointer, fmt::format("must be a string, not {}", shown(field)));
  return field.get<std::string>();
}

bool is_list(const nlohmann::json& value) {
  return value.is_object() && value.contains("items") && value["items"].is_array() &&
         value.contains("kind") && value["kind"].is_string() &&
         value["kind"].get_ref<const std::string&>().ends_with("List");
}

// The part of `lines` below `pointer`, with pointers that begin there.
FieldLines lines_below(const FieldLines& lines, const std::string& pointer) {
  FieldLines below;
  for (auto at = lines.lower_bound(pointer); at != lines.end(); ++at) {
    const auto& [key, line] = *at;
    if (!key.starts_with(pointer)) break;
    if (key.size() == pointer.size() || key[pointer.size()] == '/')
      below.emplace(key.substr(pointer.size()), line);
  }
  return below;
}

// What an API list (a PodList) says for its items, which may leave it out.
void inherit(const nlohmann::json& list, nlohmann::json& item) {
  const std::string kind = list["kind"].get<std::string>();
  if (kind == "List" || !item.is_object()) return;
  if (!item.contains("kind")) item["kind"] = kind.substr(0, kind.size() - 4);
  if (!item.contains("apiVersion") && list.contains("apiVersion"))
    item["apiVersion"] = list["apiVersion"];
}

// The objects in `value`, which stands at `pointer` in `whole`.
Result<> flatten(const Document& whole, nlohmann::json& value, const std::string& pointer,
                 std::vector<Document>& out) {
  const bool list = is_list(value);
  if (list || value.is_array()) {
    const std::string prefix = list ? pointer + "/items" : pointer;
    nlohmann::json& items = list ? value["items"] : value;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (list) inherit(value, items[i]);
      WEFT_TRY(flatten(whole, items[i], field_pointer(prefix, std::to_string(i)), out));
    }
    return {};
  }
  Document document;
  document.file = whole.file;
  document.lines = lines_below(whole.lines, pointer);
  document.line = line_in(document.lines, "", whole.line);
  document.value = std::move(value);
  WEFT_TRY(read_header(document));
  out.push_back(std::move(document));
  return {};
}

}  // namespace

std::string DocumentName::to_string() const {
  return name_space.empty() ? name : name_space + "/" + name;
}

Result<> read_header(Document& document) {
  if (!document.value.is_object())
    return fail_at(document, "", fmt::format("is no object: {}", shown(document.value)));
  WEFT_ASSIGN(document.kind, text_at(document, "/kind"));
  if (document.kind.empty()) return fail_at(document, "/kind", "is missing");
  WEFT_ASSIGN(document.api_version, text_at(document, "/apiVersion"));
  if (document.api_version.empty()) return fail_at(document, "/apiVersion", "is missing");
  WEFT_ASSIGN(document.name.name, text_at(document, "/metadata/name"));
  if (document.name.name.empty()) return fail_at(document, "/metadata/name", "is missing");
  WEFT_ASSIGN(document.name.name_space, text_at(document, "/metadata/namespace"));
  return {};
}

bool is_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
  const std::size_t next = text.find_first_not_of("{[ \t\r\n", first);
  return next == std::string_view::npos ||
         std::string_view("\"}]").find(text[next]) != std::string_view::npos;
}

std::string shown(const nlohmann::json& value) {
  return shortened(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string shortened(std::string text) {
  if (text.size() <= kShownLength) return text;
  std::size_t end = kShownLength;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string not_utf8(std::string_view pointer, std::string_view text) {
  const std::string path = field_path(pointer);
  return fmt::format("{}{}is not UTF-8: {}", path, path.empty() ? "" : ": ", shown(text));
}

int line_in(const FieldLines& lines, std::string_view pointer, int otherwise) {
  while (true) {
    if (const auto found = lines.find(std::string(pointer)); found != lines.end())
      return found->second;
    if (pointer.empty()) return otherwise;
    pointer = pointer.substr(0, pointer.rfind('/'));
  }
}

int Document::line_of(std::string_view pointer) const { return line_in(lines, pointer, line); }

std::string field_pointer(std::string_view pointer, std::string_view key) {
  std::string longer(pointer);
  if (pointer.size() + key.size() >= kLongestPointer) return longer;
  longer += '/';
  for (const char c : key) {
    if (c == '~')
      longer += "~0";
    else if (c == '/')
      longer += "~1";
    else
      longer += c;
  }
  return longer;
}

std::string field_path(std::string_view pointer) {
  std::string path;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    std::string step(pointer.substr(0, end));
    pointer.remove_prefix(end);
    for (std::size_t at = 0; (at = step.find('~', at)) != std::string::npos; ++at)
      step.replace(at, 2, step.compare(at, 2, "~1") == 0 ? "/" : "~");
    const bool index = !step.empty() && std::all_of(step.begin(), step.end(), [](unsigned char c) {
      return std::isdigit(c) != 0;
    });
    if (index)
      path += "[" + step + "]";
    else
      path += (path.empty() ? "" : ".") + step;
  }
  return path;
}

Failure fail_at(const Document& document, std::string_view pointer, std::string_view message) {
  std::string object = document.kind;
  if (!document.name.name.empty()) object += " " + document.name.to_string();
  const std::string path = field_path(pointer);
  return fail(fmt::format("{}:{}: {}{}{}{}{}", document.file, document.line_of(pointer), object,
                          object.empty() ? "" : ": ", path, path.empty() ? "" : ": ", message));
}

Result<std::vector<Document>> read_documents(std::string_view text, std::string_view file) {
  std::vector<Document> whole;
  if (is_json(text)) {
    WEFT_ASSIGN(Document document, parse_json(text, file));
    whole.push_back(std::move(document));
  } else {
    WEFT_ASSIGN(whole, parse_yaml(text, file));
  }
  std::vector<Document> documents;
  for (Document& document : whole) WEFT_TRY(flatten(document, document.value, "", documents));
  return documents;
}

}  // namespace weft::document

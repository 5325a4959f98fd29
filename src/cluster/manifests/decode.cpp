// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/decode.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <optional>

#include "cluster/objects/decode.h"
#include "document/document.h"
#include "document/field.h"
#include "document/json.h"

namespace weft::cluster {
namespace {

namespace dom = simdjson::dom;
using document::Document;
using document::Field;
using document::FieldError;

// A value in the text, with what an API list (a PodList) around it says for its items.
struct Item {
  dom::element value{};
  std::string pointer{};
  std::string kind{};
  std::string api_version{};
};

void collect(const Item& item, std::vector<Item>& items);

void collect_each(const dom::array& array, Item item, std::vector<Item>& items) {
  const std::string pointer = std::move(item.pointer);
  std::size_t index = 0;
  for (const dom::element element : array) {
    item.value = element;
    item.pointer = fmt::format("{}/{}", pointer, index++);
    collect(item, items);
  }
}

// The objects that a value holds.
void collect(const Item& item, std::vector<Item>& items) {
  dom::array array;
  std::string_view kind;
  std::string_view version;
  if (item.value.get_array().get(array) == simdjson::SUCCESS) {
    collect_each(array, item, items);
  } else if (item.value["kind"].get_string().get(kind) == simdjson::SUCCESS &&
             kind.ends_with("List") &&
             item.value["items"].get_array().get(array) == simdjson::SUCCESS) {
    Item list{{}, item.pointer + "/items", "", ""};
    if (kind != "List") {
      list.kind = kind.substr(0, kind.size() - 4);
      if (item.value["apiVersion"].get_string().get(version) == simdjson::SUCCESS)
        list.api_version = version;
    }
    collect_each(array, std::move(list), items);
  } else {
    items.push_back(item);
  }
}

std::optional<FieldError> decode_item(const Item& item, Manifest& manifest) {
  std::optional<FieldError> error;
  const Field object(document::Value(item.value), error);
  const std::string kind = object["kind"].text(item.kind);
  const std::string version = object["apiVersion"].text(item.api_version);
  if (kind.empty()) object["kind"].refuse("is missing");
  if (version.empty()) object["apiVersion"].refuse("is missing");
  if (error) return error;
  const Decoder decoder = decoder_for(version, kind);
  if (decoder == nullptr) {
    manifest.unknown_kinds.insert(version + " " + kind);
    return error;
  }
  std::optional<model::Object> decoded = decoder(object);
  if (!error && decoded) manifest.objects.push_back(std::move(*decoded));
  return error;
}

// What simdjson shall read: the text itself, or YAML as one JSON array.
struct Text {
  std::string json{};
  std::vector<Document> documents{};  // of YAML; their values are in `json`
};

Result<Text> text_of(std::string_view text, std::string_view file) {
  Text source;
  if (document::is_json(text)) {
    source.json.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    source.json = text;
    return source;
  }
  WEFT_ASSIGN(source.documents, document::read_documents(text, file));
  nlohmann::json array = nlohmann::json::array();
  for (Document& document : source.documents) array.push_back(std::move(document.value));
  source.json = array.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return source;
}

// simdjson keeps no lines: an object is looked up in the text once more, and read with them.
Result<Document> read_again(const Text& source, std::string_view file, const Item& item) {
  const simdjson::padded_string text(source.json);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document whole;
  simdjson::ondemand::value value;
  std::string_view own;
  if (parser.iterate(text).get(whole) != simdjson::SUCCESS ||
      whole.at_pointer(item.pointer).get(value) != simdjson::SUCCESS ||
      simdjson::to_json_string(value).get(own) != simdjson::SUCCESS)
    return fail(fmt::format("{}: {} cannot be found", file, document::field_path(item.pointer)));
  const auto line = 1 + std::count(text.data(), own.data(), '\n');
  WEFT_ASSIGN(Document document, document::parse_json(own, file, static_cast<int>(line)));
  if (!document.value.is_object()) return document;
  if (!document.value.contains("kind")) document.value["kind"] = item.kind;
  if (!document.value.contains("apiVersion")) document.value["apiVersion"] = item.api_version;
  return document;
}

// An object's error with its line and the object's name.
Failure explain(Text& source, std::string_view file, const Item& item, std::size_t index,
                const FieldError& error) {
  if (index < source.documents.size())
    return document::fail_at(source.documents[index], error.pointer, error.message);
  WEFT_ASSIGN(Document document, read_again(source, file, item));
  WEFT_TRY(document::read_header(document));
  return document::fail_at(document, error.pointer, error.message);
}

}  // namespace

Result<Manifest> decode_manifest(std::string_view text, std::string_view file) {
  WEFT_ASSIGN(Text source, text_of(text, file));
  source.json.reserve(source.json.size() + simdjson::SIMDJSON_PADDING);
  dom::parser parser;
  dom::element root;
  const std::size_t depth =
      document::kDepthLimit + (source.documents.empty() ? 0 : 1);  // YAML's array
  auto wrong = parser.allocate(source.json.size(), depth + 1);     // and the values
  if (!wrong) wrong = parser.parse(source.json).get(root);
  if (wrong) {
    if (source.documents.empty())
      WEFT_TRY(document::parse_json(source.json, file));  // tells the line
    return fail(fmt::format("{}: {}", file, simdjson::error_message(wrong)));
  }
  std::vector<Item> items;
  collect({root, "", "", ""}, items);
  Manifest manifest;
  manifest.objects.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i)
    if (const auto error = decode_item(items[i], manifest))
      return explain(source, file, items[i], i, *error);
  return manifest;
}

}  // namespace weft::cluster

// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/decode.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <optional>

#include "cluster/manifests/document.h"
#include "cluster/manifests/field.h"
#include "cluster/manifests/objects.h"

namespace weft::cluster {
namespace {

namespace dom = simdjson::dom;

// An object in the text, with what an API list (a PodList) says for all of its items.
struct Item {
  dom::element value{};
  std::string kind{};
  std::string api_version{};
};

void collect(dom::element value, const Item& inherited, std::vector<Item>& items) {
  dom::array array;
  std::string_view kind;
  if (value.get_array().get(array) == simdjson::SUCCESS) {
    for (const dom::element element : array) collect(element, inherited, items);
  } else if (value["kind"].get_string().get(kind) == simdjson::SUCCESS && kind.ends_with("List") &&
             value["items"].get_array().get(array) == simdjson::SUCCESS) {
    Item list;
    if (kind != "List") {
      std::string_view version;
      list.kind = kind.substr(0, kind.size() - 4);
      if (value["apiVersion"].get_string().get(version) == simdjson::SUCCESS)
        list.api_version = version;
    }
    for (const dom::element element : array) collect(element, list, items);
  } else {
    items.push_back({value, inherited.kind, inherited.api_version});
  }
}

std::optional<FieldError> decode_item(const Item& item, Manifest& manifest) {
  std::optional<FieldError> error;
  const Field object(item.value, error);
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

// Tells the n-th object's error with its line, which simdjson does not keep.
Failure explain(std::string_view text, std::string_view file, std::size_t index,
                const FieldError& error) {
  WEFT_ASSIGN(const std::vector<Document> documents, read_documents(text, file));
  if (index >= documents.size())
    return fail(fmt::format("{}: {}: {}", file, field_path(error.pointer), error.message));
  return fail_at(documents[index], error.pointer, error.message);
}

// What simdjson shall read: the text itself, or YAML as one JSON array.
Result<std::string> as_json(std::string_view text, std::string_view file) {
  if (is_json(text)) return std::string(text);
  WEFT_ASSIGN(std::vector<Document> documents, read_documents(text, file));
  nlohmann::json array = nlohmann::json::array();
  for (Document& document : documents) array.push_back(std::move(document.value));
  return array.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Result<Manifest> decode_manifest(std::string_view text, std::string_view file) {
  WEFT_ASSIGN(std::string json, as_json(text, file));
  json.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  dom::parser parser;
  dom::element root;
  if (const auto error = parser.parse(json).get(root)) {
    WEFT_TRY(read_documents(text, file));  // tells the line
    return fail(fmt::format("{}: {}", file, simdjson::error_message(error)));
  }
  std::vector<Item> items;
  collect(root, {}, items);
  Manifest manifest;
  manifest.objects.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i)
    if (const auto error = decode_item(items[i], manifest)) return explain(text, file, i, *error);
  return manifest;
}

}  // namespace weft::cluster

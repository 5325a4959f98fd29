// SPDX-License-Identifier: Apache-2.0
#include "agent/fields.h"

#include <fmt/format.h>

namespace weft::agent {

Fields::Fields(const cluster::Document& document, std::string pointer, std::optional<Error>& error)
    : document_(document), pointer_(std::move(pointer)), error_(error) {
  static const nlohmann::json empty = nlohmann::json::object();
  object_ = &empty;
  const nlohmann::json::json_pointer place(pointer_);
  if (!document_.value.contains(place)) return;
  const nlohmann::json& found = document_.value.at(place);
  if (found.is_object())
    object_ = &found;
  else
    refuse("", fmt::format("{} is not an object with fields", cluster::shown(found)));
}

Fields Fields::object(const char* name) {
  known_.insert(name);
  return {document_, cluster::field_pointer(pointer_, name), error_};
}

void Fields::done() {
  for (const auto& [name, value] : object_->items())
    if (!known_.contains(name))
      refuse(name, fmt::format("unknown field; known here: {}", fmt::join(known_, ", ")));
}

const nlohmann::json* Fields::take(const char* name) {
  known_.insert(name);
  const auto found = object_->find(name);
  return found == object_->end() ? nullptr : &*found;
}

void Fields::refuse(const std::string& name, std::string_view message) {
  if (error_) return;
  const std::string pointer = name.empty() ? pointer_ : cluster::field_pointer(pointer_, name);
  error_ = Error{fmt::format("{}:{}: {}: {}", document_.file, document_.line_of(pointer),
                             pointer.empty() ? "document" : cluster::field_path(pointer), message)};
}

}  // namespace weft::agent

// SPDX-License-Identifier: Apache-2.0
#include "document/known_fields.h"

#include <fmt/format.h>

namespace weft::document {

KnownFields::KnownFields(const Field& object) : object_(object) {
  if (object.is_there() && !object.value().is_object())
    object.refuse_as(fmt::format("{} is not an object with fields", object.value().shown()));
}

KnownFields KnownFields::object(const char* name) {
  known_.insert(name);
  return KnownFields(object_[name]);
}

void KnownFields::done() const {
  object_.value().each_member([&](std::string_view name, const Value&) {
    if (!known_.contains(name))
      object_[name].refuse_as(
          fmt::format("unknown field; known here: {}", fmt::join(known_, ", ")));
  });
}

}  // namespace weft::document

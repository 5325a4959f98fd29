// SPDX-License-Identifier: Apache-2.0
//
// One decoder of each kind of object, shared by all sources: from the API's JSON to the model's
// object. What is wrong goes to the field's error.
//
// One more kind is a line here, its decode() in a file of its own beside this, and its line in
// model::Object, which is the list that decoder_for() goes through.
#pragma once

#include <optional>
#include <string_view>

#include "document/field.h"
#include "model/object_key.h"

namespace weft::cluster {

using document::Field;

// false: none that concerns us, though of this kind; `out` is then of no meaning.
bool decode(const Field& object, model::Namespace& out);
bool decode(const Field& object, model::Node& out);
bool decode(const Field& object, model::Pod& out);
bool decode(const Field& object, model::Service& out);
bool decode(const Field& object, model::EndpointSlice& out);

// Nothing: none that concerns us.
using Decoder = std::optional<model::Object> (*)(const Field& object);

// nullptr: not a kind we know.
Decoder decoder_for(std::string_view api_version, std::string_view kind);

}  // namespace weft::cluster

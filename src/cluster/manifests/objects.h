// SPDX-License-Identifier: Apache-2.0
// One decoder a kind: from a JSON object to the model's object. What is wrong goes to the field's
// error; nothing without one means that the object is none that concerns us.
#pragma once

#include <optional>
#include <string_view>

#include "cluster/manifests/field.h"
#include "model/cluster_state.h"

namespace weft::cluster {

using Decoder = std::optional<model::Object> (*)(const Field& object);

// nullptr: not a kind we know.
Decoder decoder_for(std::string_view api_version, std::string_view kind);

}  // namespace weft::cluster

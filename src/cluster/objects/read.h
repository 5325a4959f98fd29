// SPDX-License-Identifier: Apache-2.0
// What the decoders of several kinds read alike.
#pragma once

#include <string>

#include "document/field.h"
#include "model/objects.h"

namespace weft::cluster {

using document::Field;

// "" where it is missing, which is an error.
std::string required_text(const Field& field);

// metadata.name, and of what has a namespace that, too: a missing one is "default".
model::ObjectName cluster_name(const Field& object);
model::ObjectName namespaced_name(const Field& object);

model::Protocol protocol_of(const Field& field);  // a missing one is TCP

}  // namespace weft::cluster

// SPDX-License-Identifier: Apache-2.0
#include "tables/fdb.h"

namespace weft::tables {

bool FdbKind::same(const Value& desired, const Value& actual) { return desired == actual; }

std::string FdbKind::describe(const Key& key) { return key.mac.to_string() + " dev " + key.link; }

std::string FdbKind::describe(const Value& value) { return "dst " + value.remote.to_string(); }

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "model/object_key.h"

#include <array>

namespace weft::model {
namespace {

template <class Variant>
struct Kinds;
template <class... Ts>
struct Kinds<std::variant<Shared<Ts>...>> {
  static constexpr std::array<std::string_view, sizeof...(Ts)> kNames{Ts::kKind...};
};

}  // namespace

std::string_view to_string(ObjectKind kind) {
  return Kinds<Object>::kNames.at(static_cast<std::size_t>(kind));
}

ObjectKey key_of(const Object& object) { return {ObjectKind(object.index()), name_of(object)}; }

const ObjectName& name_of(const Object& object) {
  return std::visit([](const auto& known) -> const ObjectName& { return known->name; }, object);
}

std::string ObjectKey::to_string() const {
  return std::string(model::to_string(kind)) + " " + name.to_string();
}

}  // namespace weft::model

// SPDX-License-Identifier: Apache-2.0
//
// Object: any one of the objects that sources tell of. It is the list of kinds: what is kept,
// compared, named and decoded of each kind follows from it, and one more kind is one more line here
// (and its struct in objects.h, and its decoder in src/cluster/objects).
//
// ObjectKey: which object, over all kinds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "model/objects.h"
#include "model/shared.h"

namespace weft::model {

using Object = std::variant<  //
    Shared<Namespace>,        //
    Shared<Node>,             //
    Shared<Pod>,              //
    Shared<Service>,          //
    Shared<EndpointSlice>>;

// The place of a kind in Object.
enum class ObjectKind : std::uint8_t {};
std::string_view to_string(ObjectKind kind);  // "EndpointSlice"

namespace detail {
template <class T, class Variant>
struct PlaceIn;
template <class T, class... Ts>
struct PlaceIn<T, std::variant<Shared<Ts>...>> {
  static_assert((std::is_same_v<T, Ts> || ...), "a kind that Object has not");
  static constexpr std::size_t find() {
    std::size_t place = 0;
    (void)((std::is_same_v<T, Ts> || (++place, false)) || ...);
    return place;
  }
};
}  // namespace detail

template <class T>
inline constexpr ObjectKind kKindOf{detail::PlaceIn<T, Object>::find()};

struct ObjectKey {
  ObjectKind kind{};
  ObjectName name{};
  auto operator<=>(const ObjectKey&) const = default;
  std::string to_string() const;  // "Service default/web"
};

template <class T>
ObjectKey key(ObjectName name) {
  return {kKindOf<T>, std::move(name)};
}

ObjectKey key_of(const Object& object);
const ObjectName& name_of(const Object& object);

// In the order of their keys, without a copy of one.
struct ByObjectKey {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return view(a) < view(b);
  }

 private:
  using View = std::pair<ObjectKind, const ObjectName&>;
  static View view(const Object& object) { return {ObjectKind(object.index()), name_of(object)}; }
  static View view(const ObjectKey& key) { return {key.kind, key.name}; }
};

}  // namespace weft::model

// SPDX-License-Identifier: Apache-2.0
#include "cluster/objects/decode.h"

#include <utility>
#include <variant>

namespace weft::cluster {
namespace {

template <class T>
std::optional<model::Object> decode_one(const Field& object) {
  T decoded;
  if (!decode(object, decoded)) return std::nullopt;
  return model::Object(std::move(decoded));
}

template <class Variant>
struct Decoders;
template <class... Ts>
struct Decoders<std::variant<model::Shared<Ts>...>> {
  static Decoder find(std::string_view api_version, std::string_view kind) {
    Decoder found = nullptr;
    (void)((Ts::kApiVersion == api_version && Ts::kKind == kind &&
            (found = decode_one<Ts>, true)) ||
           ...);
    return found;
  }
};

}  // namespace

Decoder decoder_for(std::string_view api_version, std::string_view kind) {
  return Decoders<model::Object>::find(api_version, kind);
}

}  // namespace weft::cluster

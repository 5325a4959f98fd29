// SPDX-License-Identifier: Apache-2.0
#include "podnet/transport.h"

#include <algorithm>
#include <array>

#include "podnet/direct/transport.h"
#include "podnet/vxlan/transport.h"

namespace weft::podnet {
namespace {

const auto& transports() {
  static const VxlanTransport vxlan;
  static const DirectTransport direct;
  static const std::array<const Transport*, 2> all{&vxlan, &direct};
  return all;
}

}  // namespace

const Transport* find_transport(std::string_view name) {
  const auto& all = transports();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Transport* transport) {
    return transport->name() == name;
  });
  return found == all.end() ? nullptr : *found;
}

std::vector<std::string_view> transport_names() {
  std::vector<std::string_view> names;
  for (const Transport* transport : transports()) names.push_back(transport->name());
  return names;
}

}  // namespace weft::podnet

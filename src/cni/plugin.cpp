// SPDX-License-Identifier: Apache-2.0
#include "cni/plugin.h"

namespace weft::cni {

const Plugin* find_plugin(std::span<const Plugin> plugins, std::string_view name) {
  for (const Plugin& plugin : plugins) {
    if (plugin.name == name) return &plugin;
  }
  return nullptr;
}

}  // namespace weft::cni

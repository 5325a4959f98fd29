// SPDX-License-Identifier: Apache-2.0
#include "cni/plugins/plugins.h"

#include <array>

namespace weft::cni {
namespace {

constexpr std::array<Plugin, 3> kPlugins = {{
    {.name = "bridge", .add = bridge_add, .del = bridge_del},
    {.name = "host-local", .add = host_local_add, .del = host_local_del},
    {.name = "loopback", .add = loopback_add, .del = loopback_del},
}};

}  // namespace

std::span<const Plugin> all_plugins() { return kPlugins; }

}  // namespace weft::cni

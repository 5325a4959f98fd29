// SPDX-License-Identifier: Apache-2.0
//
// Plugin delegation (SPEC.md, "Section 4"): a plugin has its IPAM plugin do its part, with the same
// configuration and environment. The delegate is found in CNI_PATH and executed. Where the file
// found is this very binary (our plugins are one file under several names), its function is called
// instead: the same code on the same input, one exec less.
#pragma once

#include <string_view>

#include "cni/plugin.h"

namespace weft::cni {

// `type`: the delegate's name (`ipam.type`).
Outcome<CniResult> delegate_add(const Request& request, std::string_view type);
Outcome<> delegate_del(const Request& request, std::string_view type);

}  // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
//
// The server of `weft lab check`'s probe pods: tells every client who answered and whom it saw,
// over TCP and UDP, both IP families: "<name> <client address>\n". A path is right when the right
// server answers and sees the right client.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace weft::lab {

// Serves until the process ends.
Result<> serve_probes(const std::string& name, std::uint16_t port);

}  // namespace weft::lab

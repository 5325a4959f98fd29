// SPDX-License-Identifier: Apache-2.0
//
// How long work is cut into slices: what is given runs in the event loop's next turn, after
// everything else that is ready by then. Where there is no loop it is empty, and the work is done
// in one go.
#pragma once

#include <functional>

namespace weft {

using NextTurn = std::function<void(std::function<void()>)>;

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
// One line of a plan: this entry shall have this value, or (no value) shall not be.
#pragma once

#include <optional>

namespace weft::reconcile {

template <class Kind>
struct Edit {
  typename Kind::Key key{};
  std::optional<typename Kind::Value> value{};
};

}  // namespace weft::reconcile

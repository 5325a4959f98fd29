// SPDX-License-Identifier: Apache-2.0
#include "reconcile/table.h"

namespace weft::reconcile {

std::string_view to_string(Drift::Problem problem) {
  switch (problem) {
    case Drift::Problem::kMissing:
      return "missing";
    case Drift::Problem::kUnexpected:
      return "unexpected";
    case Drift::Problem::kDifferent:
      return "different";
  }
  return "";
}

}  // namespace weft::reconcile

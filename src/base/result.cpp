// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace weft {

Error Error::in(std::string_view context) && {
  message.insert(0, ": ").insert(0, context);
  return std::move(*this);
}

Failure fail_errno(std::string_view context) { return fail_errno(context, errno); }

Failure fail_errno(std::string_view context, int code) {
  std::string message(context);
  message.append(": ").append(std::generic_category().message(code));
  return fail(std::move(message), code);
}

}  // namespace weft

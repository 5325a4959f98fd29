// SPDX-License-Identifier: Apache-2.0
//
// CNI errors: what a plugin that fails prints on stdout as JSON, with exit status 1 (SPEC.md,
// "Section 5: Result Types", "Error"). Outcome<T> is Result<T> with such an error; a plain Error
// becomes one with the code of the reference plugins for everything else (kInternal).
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/result.h"

namespace weft::cni {

enum class ErrorCode : unsigned {
  kIncompatibleVersion = 1,
  kUnsupportedField = 2,    // the message names key and value
  kUnknownContainer = 3,    // the runtime need not DEL
  kInvalidEnvironment = 4,  // the message names the variables
  kInputOutput = 5,
  kDecodeFailure = 6,
  kInvalidConfig = 7,
  kInvalidNetns = 8,  // in the reference's code, not in the specification's table
  kTryAgainLater = 11,
  kNotAvailable = 50,         // STATUS: ADD would fail
  kLimitedConnectivity = 51,  // … and containers that run may be affected
  kInternal = 999,
};

struct CniError {
  CniError(Error error) : message(std::move(error.message)) {}  // NOLINT: that is its point
  CniError(ErrorCode error_code, std::string text, std::string more = {})
      : code(static_cast<unsigned>(error_code)),
        message(std::move(text)),
        details(std::move(more)) {}

  unsigned code =
      static_cast<unsigned>(ErrorCode::kInternal);  // a foreign plugin's may be any number
  std::string message{};
  std::string details{};

  // "message; details": for people.
  std::string to_string() const { return details.empty() ? message : message + "; " + details; }
};

template <class T = void>
using Outcome = tl::expected<T, CniError>;

using CniFailure = tl::unexpected<CniError>;

[[nodiscard]] inline CniFailure fail(ErrorCode code, std::string message,
                                     std::string details = {}) {
  return CniFailure(CniError(code, std::move(message), std::move(details)));
}

// A plain error under a code of its own.
[[nodiscard]] inline CniFailure fail(ErrorCode code, Error error) {
  return CniFailure(CniError(code, std::move(error.message)));
}

}  // namespace weft::cni

// WEFT_TRY and WEFT_ASSIGN for functions that return an Outcome; they take Results too.
#define CNI_TRY(expression)                                                                 \
  do {                                                                                      \
    if (auto cni_result = (expression); !cni_result)                                        \
      return ::weft::cni::CniFailure(::weft::cni::CniError(std::move(cni_result.error()))); \
  } while (false)

// NOLINTBEGIN(bugprone-macro-parentheses): a declaration takes none
#define CNI_ASSIGN(declaration, expression) \
  CNI_ASSIGN_INNER(WEFT_CONCAT(cni_result_, __LINE__), declaration, expression)
#define CNI_ASSIGN_INNER(result, declaration, expression)                                        \
  auto result = (expression);                                                                    \
  if (!result) return ::weft::cni::CniFailure(::weft::cni::CniError(std::move(result.error()))); \
  declaration = std::move(*result)
// NOLINTEND(bugprone-macro-parentheses)

// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: the outcome of everything that the world can make fail (the kernel, files, input).
// An Error carries an errno where there is one (0 otherwise) and a sentence that gains context on
// its way up: "add veth a1: RTM_NEWLINK: File exists (name already in use)". Bugs are asserts, not
// Errors; nothing here throws.
//
//   Result<Link> find(std::string_view name);
//   WEFT_ASSIGN(const Link link, find("cni0"));          // returns the error upward
//   WEFT_TRY(socket.execute(batch), "add route");        // adds context, returns upward
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace weft {

struct Error {
  std::string message{};
  int code = 0;  // errno, or 0 when no system call is behind it

  // The same error with `context: ` in front.
  [[nodiscard]] Error in(std::string_view context) &&;
};

template <class T = void>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

// Ends a function with an error of our own.
[[nodiscard]] inline Failure fail(std::string message, int code = 0) {
  return Failure(Error{std::move(message), code});
}

// Ends a function with the current errno: "context: No such file or directory".
[[nodiscard]] Failure fail_errno(std::string_view context);
[[nodiscard]] Failure fail_errno(std::string_view context, int code);

namespace detail {
inline Error pass(Error error) { return error; }
inline Error pass(Error error, std::string_view context) { return std::move(error).in(context); }
}  // namespace detail

}  // namespace weft

#define WEFT_CONCAT_INNER(a, b) a##b
#define WEFT_CONCAT(a, b) WEFT_CONCAT_INNER(a, b)

// WEFT_TRY(expression [, context]): returns the expression's error from the enclosing function.
#define WEFT_TRY(expression, ...)                                                           \
  do {                                                                                      \
    if (auto weft_result = (expression); !weft_result)                                      \
      return ::weft::Failure(                                                               \
          ::weft::detail::pass(std::move(weft_result.error()) __VA_OPT__(, ) __VA_ARGS__)); \
  } while (false)

// WEFT_ASSIGN(declaration, expression [, context]): the value, or the error returned upward.
#define WEFT_ASSIGN(declaration, expression, ...) \
  WEFT_ASSIGN_INNER(WEFT_CONCAT(weft_result_, __LINE__), declaration, expression, __VA_ARGS__)
#define WEFT_ASSIGN_INNER(result, declaration, expression, ...)                      \
  auto result = (expression);                                                        \
  if (!result)                                                                       \
    return ::weft::Failure(                                                          \
        ::weft::detail::pass(std::move(result.error()) __VA_OPT__(, ) __VA_ARGS__)); \
  declaration = std::move(*result)

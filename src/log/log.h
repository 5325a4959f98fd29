// SPDX-License-Identifier: Apache-2.0
//
// The log: one line an event on stderr, key=value, so that people read it and machines split it:
//
//   time=2026-11-23T07:47:31.123Z level=info component=agent msg="synced" services=12
//
//   log::info("agent", "synced", {{"services", count}});
//
// A value is quoted when it needs to be (logfmt). Colour only on a terminal. The sink is spdlog's,
// behind this façade so that nothing else depends on it. Any thread.
#pragma once

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace weft::log {

enum class Level { kDebug, kInfo, kWarning, kError };

std::optional<Level> parse_level(std::string_view text);  // "debug", "info", "warning", "error"

// Lines below `level` are dropped. Info at start.
void set_level(Level level);

struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  Field(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
  Field(std::string_view k, const Error& v) : key(k), value(v.message) {}

  std::string_view key;
  std::string value;
};
using Fields = std::initializer_list<Field>;

void debug(std::string_view component, std::string_view message, Fields fields = {});
void info(std::string_view component, std::string_view message, Fields fields = {});
void warning(std::string_view component, std::string_view message, Fields fields = {});
void error(std::string_view component, std::string_view message, Fields fields = {});

// The line from `component=` on.
std::string format(std::string_view component, std::string_view message, Fields fields);

}  // namespace weft::log

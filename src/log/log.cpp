// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <iterator>

namespace weft::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  static const auto the_logger = [] {
    // The sink colours what is between %^ and %$, and only on a terminal.
    auto made = std::make_shared<spdlog::logger>(
        "weft", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "time=%Y-%m-%dT%H:%M:%S.%eZ level=%^%l%$ %v", spdlog::pattern_time_type::utc));
    return made;
  }();
  return *the_logger;
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value)
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f)
      return true;
  return false;
}

void append_value(std::string& line, std::string_view value, bool quoted) {
  if (!quoted && !needs_quotes(value)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      line += c;
    }
  }
  line += '"';
}

void write(spdlog::level::level_enum level, std::string_view component, std::string_view message,
           Fields fields) {
  if (!logger().should_log(level)) return;
  logger().log(level, spdlog::string_view_t(format(component, message, fields)));
}

}  // namespace

std::optional<Level> parse_level(std::string_view text) {
  if (text == "debug") return Level::kDebug;
  if (text == "info") return Level::kInfo;
  if (text == "warning") return Level::kWarning;
  if (text == "error") return Level::kError;
  return std::nullopt;
}

void set_level(Level level) { logger().set_level(to_spdlog(level)); }

std::string format(std::string_view component, std::string_view message, Fields fields) {
  std::string line = "component=";
  append_value(line, component, false);
  line += " msg=";
  append_value(line, message, true);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value, false);
  }
  return line;
}

void debug(std::string_view component, std::string_view message, Fields fields) {
  write(spdlog::level::debug, component, message, fields);
}
void info(std::string_view component, std::string_view message, Fields fields) {
  write(spdlog::level::info, component, message, fields);
}
void warning(std::string_view component, std::string_view message, Fields fields) {
  write(spdlog::level::warn, component, message, fields);
}
void error(std::string_view component, std::string_view message, Fields fields) {
  write(spdlog::level::err, component, message, fields);
}

}  // namespace weft::log

// SPDX-License-Identifier: Apache-2.0
#include "lab/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace weft::lab {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

bool has_colour(std::FILE* stream) {
  return ::isatty(::fileno(stream)) == 1 && std::getenv("NO_COLOR") == nullptr;
}

int code_of(Colour colour) {
  switch (colour) {
    case Colour::kPlain:
      return 0;
    case Colour::kBold:
      return 1;
    case Colour::kDim:
      return 2;
    case Colour::kGreen:
      return 32;
    case Colour::kRed:
      return 31;
    case Colour::kYellow:
      return 33;
  }
  return 0;
}

}  // namespace

std::string paint(Colour colour, std::string_view text, std::FILE* stream) {
  if (colour == Colour::kPlain || !has_colour(stream)) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code_of(colour), text);
}

Table::Table(const std::vector<std::string>& header) {
  rows_.emplace_back();
  for (const std::string& title : header) rows_.back().emplace_back(title, Colour::kDim);
}

void Table::print(std::FILE* stream) const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].text.size());
  }
  for (const auto& row : rows_) {
    std::string line;
    std::size_t blanks = 0;  // written only before a cell that has something to say
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!row[i].text.empty()) {
        line.append(blanks, ' ').append(paint(row[i].colour, row[i].text, stream));
        blanks = 0;
      }
      blanks += widths[i] - row[i].text.size() + 2;
    }
    fmt::print(stream, "{}\n", line);
  }
}

Progress::Progress(std::FILE* stream)
    : stream_(stream), rewrites_(stream != nullptr && ::isatty(::fileno(stream)) == 1) {}

Progress::~Progress() {
  if (rewrites_ && !shown_.empty()) fmt::print(stream_, "\n");
}

void Progress::begin(std::string_view subject) {
  if (subject == subject_) return;
  if (rewrites_ && !shown_.empty()) fmt::print(stream_, "\n");
  subject_ = subject;
  shown_.clear();
  start_ = Clock::now();
}

void Progress::show(std::string_view subject, std::string_view state) {
  begin(subject);
  if (!rewrites_ || state == shown_) return;
  shown_ = state;
  fmt::print(stream_, "{}  {:<10} {}", kClearLine, subject, state);
  std::fflush(stream_);
}

void Progress::done(std::string_view subject, std::string_view state) {
  if (stream_ == nullptr) return;
  begin(subject);
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  fmt::print(stream_, "{}  {:<10} {:<44} {}\n", rewrites_ ? kClearLine : "", subject, state,
             paint(Colour::kDim, fmt::format("{:.2f} s", seconds), stream_));
  std::fflush(stream_);
  subject_.clear();
  shown_.clear();
}

}  // namespace weft::lab

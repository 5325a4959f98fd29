// SPDX-License-Identifier: Apache-2.0
//
// How the lab speaks: tables with aligned columns on stdout, progress on stderr, colour only on a
// terminal (and not where NO_COLOR is set). A progress line is rewritten in place on a terminal;
// elsewhere only its last state is printed, so that a log has one line for each thing done.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace weft::lab {

enum class Colour { kPlain, kBold, kDim, kGreen, kRed, kYellow };

std::string paint(Colour colour, std::string_view text, std::FILE* stream);

struct Cell {
  Cell(std::string cell_text, Colour cell_colour = Colour::kPlain)
      : text(std::move(cell_text)), colour(cell_colour) {}
  Cell(const char* cell_text) : text(cell_text) {}

  std::string text{};
  Colour colour = Colour::kPlain;
};

// Rows under a header; columns two blanks apart.
class Table {
 public:
  explicit Table(const std::vector<std::string>& header);
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  void print(std::FILE* stream) const;

 private:
  std::vector<std::vector<Cell>> rows_;
};

// "  agents      3/3 settled   0.2 s"
class Progress {
 public:
  explicit Progress(std::FILE* stream = stderr);  // nullptr: says nothing
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::string_view subject, std::string_view state);  // may change yet
  void done(std::string_view subject, std::string_view state);  // is final, with its time

 private:
  using Clock = std::chrono::steady_clock;
  void begin(std::string_view subject);

  std::FILE* stream_;
  bool rewrites_;
  std::string subject_{};
  std::string shown_{};
  Clock::time_point start_ = Clock::now();
};

}  // namespace weft::lab

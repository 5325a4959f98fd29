// SPDX-License-Identifier: Apache-2.0
#include "lab/check/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "lab/terminal.h"

namespace weft::lab {
namespace {

constexpr std::size_t kNamedServers = 3;

bool is_one_of(const std::string& value, const std::vector<std::string>& choices) {
  return std::find(choices.begin(), choices.end(), value) != choices.end();
}

std::string either(const std::vector<std::string>& choices) {
  if (choices.size() <= kNamedServers) return fmt::format("{}", fmt::join(choices, " or "));
  return fmt::format("{} or {} others", choices.front(), choices.size() - 1);
}

// "IPv4 TCP": the column of a case.
std::string column_of(const CheckCase& asked) {
  return fmt::format("{} {}", asked.probe.address.is_v4() ? "IPV4" : "IPV6",
                     model::to_string(asked.probe.protocol));
}

struct Count {
  std::size_t good = 0;
  std::size_t all = 0;
};

Cell cell_of(const Count& count) {
  if (count.good == count.all) return {fmt::format("{} ok", count.all), Colour::kGreen};
  return {fmt::format("{} of {} FAILED", count.all - count.good, count.all), Colour::kRed};
}

template <class Value>
void remember(std::vector<Value>& order, const Value& value) {
  if (std::find(order.begin(), order.end(), value) == order.end()) order.push_back(value);
}

void print_table(const CheckReport& report) {
  std::vector<std::string> paths;
  std::vector<std::string> columns;
  std::map<std::pair<std::string, std::string>, Count> counts;
  for (const CheckResult& result : report.results) {
    const std::string column = column_of(result.asked);
    remember(paths, result.asked.path);
    remember(columns, column);
    Count& count = counts[{result.asked.path, column}];
    ++count.all;
    if (result.good) ++count.good;
  }
  std::vector<std::string> header = {"PATH"};
  header.insert(header.end(), columns.begin(), columns.end());
  Table table(header);
  for (const std::string& path : paths) {
    std::vector<Cell> row = {path};
    for (const std::string& column : columns) row.push_back(cell_of(counts[{path, column}]));
    table.add(std::move(row));
  }
  table.print(stdout);
}

void print_failures(const CheckReport& report) {
  for (const CheckResult& result : report.results) {
    if (result.good) continue;
    const CheckCase& asked = result.asked;
    fmt::print("\n{}\n  from      {}\n  to        {}/{}\n  expected  {}\n  seen      {}\n",
               paint(Colour::kRed, "FAILED  " + asked.path, stdout), asked.from, asked.to,
               model::to_string(asked.probe.protocol), expected_text(asked),
               seen_text(result.outcome));
  }
}

}  // namespace

std::size_t CheckReport::failed() const {
  return static_cast<std::size_t>(std::count_if(
      results.begin(), results.end(), [](const CheckResult& result) { return !result.good; }));
}

bool is_good(const CheckCase& asked, const traffic::Outcome& outcome) {
  // TCP is refused at its first SYN, however long a busy machine takes. A refused datagram is an
  // ICMP error, and the kernel sends a host one a second once it has sent it a few
  // (net.ipv4.icmp_ratelimit): that it comes is what counts.
  if (asked.refused)
    return outcome.kind == traffic::Outcome::Kind::kRefused && outcome.retransmissions == 0;
  return outcome.kind == traffic::Outcome::Kind::kAnswered &&
         is_one_of(outcome.server, asked.servers) && is_one_of(outcome.seen, asked.seen);
}

std::string expected_text(const CheckCase& asked) {
  if (asked.refused) return "refused at once";
  return fmt::format("an answer of {} that sees {}", either(asked.servers), either(asked.seen));
}

std::string seen_text(const traffic::Outcome& outcome) {
  switch (outcome.kind) {
    case traffic::Outcome::Kind::kAnswered:
      return fmt::format("an answer of {} that sees {}", outcome.server, outcome.seen);
    case traffic::Outcome::Kind::kRefused:
      return outcome.retransmissions == 0
                 ? fmt::format("refused after {} ms", outcome.took.count())
                 : fmt::format("refused after {} ms and {} retransmitted SYNs",
                               outcome.took.count(), outcome.retransmissions);
    case traffic::Outcome::Kind::kFailed:
      return fmt::format("{} after {} ms", std::strerror(outcome.error), outcome.took.count());
    case traffic::Outcome::Kind::kTimedOut:
      return fmt::format("no answer in {} ms", outcome.took.count());
  }
  return {};
}

Json to_json(const CheckReport& report) {
  Json cases = Json::array();
  for (const CheckResult& result : report.results) {
    cases.push_back({{"path", result.asked.path},
                     {"from", result.asked.from},
                     {"to", result.asked.to},
                     {"protocol", model::to_string(result.asked.probe.protocol)},
                     {"good", result.good},
                     {"expected", expected_text(result.asked)},
                     {"seen", seen_text(result.outcome)}});
  }
  return {{"passed", report.results.size() - report.failed()},
          {"failed", report.failed()},
          {"cases", std::move(cases)}};
}

void print(const CheckReport& report) {
  print_table(report);
  print_failures(report);
  const std::size_t failed = report.failed();
  fmt::print(
      "\n{}\n",
      failed == 0
          ? paint(Colour::kGreen, fmt::format("{} cases pass", report.results.size()), stdout)
          : paint(Colour::kRed, fmt::format("{} of {} cases fail", failed, report.results.size()),
                  stdout));
}

}  // namespace weft::lab

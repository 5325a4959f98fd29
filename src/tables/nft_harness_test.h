// SPDX-License-Identifier: Apache-2.0
// What the nft driver's tests share: a namespace of their own, writing one table over another, and
// nft(8) as the other operator.
#pragma once

#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tables/nft_driver.h"

namespace weft::tables {

// A desired table that is a plain map.
class PlainDesired final : public reconcile::Desired<NftKind> {
 public:
  explicit PlainDesired(const NftKind::Table& table) : table_(table) {}
  const NftKind::Value* find(const NftKind::Key& key) const override {
    const auto found = table_.find(key);
    return found == table_.end() ? nullptr : &found->second;
  }
  void each(
      const std::function<void(const NftKind::Key&, const NftKind::Value&)>& visit) const override {
    for (const auto& [key, value] : table_) visit(key, value);
  }

 private:
  const NftKind::Table& table_;
};

class NftDriverHarness {
 public:
  // The calling thread moves to an empty network namespace.
  explicit NftDriverHarness(std::string table = "weft-test")
      : driver_((enter_new_namespace(), open_socket()), std::move(table)) {}

  NftKind::Table read() {
    auto table = reconcile::read_all(driver_);
    EXPECT_TRUE(table) << table.error().message;
    return table ? *table : NftKind::Table{};
  }

  // Writes what makes `actual` the `desired`; the error, or "" on success.
  std::string write(const NftKind::Table& actual, const NftKind::Table& desired) {
    std::string error;
    for (const auto& failure : failures(actual, desired)) error += failure.error.message;
    return error;
  }
  std::vector<reconcile::WriteFailure<NftKind>> failures(const NftKind::Table& actual,
                                                         const NftKind::Table& desired) {
    const auto changes = reconcile::diff<NftKind>(desired, actual);
    std::optional<std::vector<reconcile::WriteFailure<NftKind>>> result;
    driver_.write(changes, PlainDesired(desired), [&](auto told) { result = std::move(told); });
    EXPECT_TRUE(result) << "write() never finished";
    return result.value_or(std::vector<reconcile::WriteFailure<NftKind>>{});
  }

  // Reads, and writes what differs.
  std::string repair(const NftKind::Table& desired) { return write(read(), desired); }

  // What verify would print: "missing ip weft-test chain c", sorted.
  std::vector<std::string> drift(const NftKind::Table& desired) {
    std::vector<std::string> lines;
    const NftKind::Table actual = read();
    for (const auto& change : reconcile::diff<NftKind>(desired, actual)) {
      const reconcile::Drift drift = reconcile::to_drift(change);
      lines.push_back(std::string(to_string(drift.problem)) + " " + drift.key);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }

 protected:
  static netlink::Socket open_socket() {
    return std::move(netlink::Socket::open(NETLINK_NETFILTER).value());
  }

 private:
  static void enter_new_namespace() {
    if (::unshare(CLONE_NEWNET) != 0) std::abort();
  }

  NftDriver driver_;
};

// Runs a shell command in this thread's namespace; its output, or what it said when it failed.
inline std::string shell(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, n);
  const int status = ::pclose(pipe);
  EXPECT_EQ(status, 0) << command << "\n" << output;
  return output;
}

}  // namespace weft::tables

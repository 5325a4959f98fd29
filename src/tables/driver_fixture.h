// SPDX-License-Identifier: Apache-2.0
// For tests: drives one driver as the Reconciler does, in a private namespace.
#pragma once

#include <linux/netlink.h>

#include <string>
#include <utility>
#include <vector>

#include "linux/netlink/socket.h"
#include "linux/netns_fixture.h"
#include "reconcile/table.h"
#include "tables/kinds.h"

namespace weft::tables {

class DriverFixture : public NetnsFixture {
 protected:
  static IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
  static Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }
  static MacAddress mac(std::string_view text) { return MacAddress::parse(text).value(); }

  netlink::Socket socket_ = netlink::Socket::open(NETLINK_ROUTE).value();
};

template <class Kind>
class TableDesired final : public reconcile::Desired<Kind> {
 public:
  explicit TableDesired(const typename Kind::Table& table) : table_(table) {}
  const typename Kind::Value* find(const typename Kind::Key& key) const override {
    const auto found = table_.find(key);
    return found == table_.end() ? nullptr : &found->second;
  }
  void each(const std::function<void(const typename Kind::Key&, const typename Kind::Value&)>&
                visit) const override {
    for (const auto& [key, value] : table_) visit(key, value);
  }

 private:
  const typename Kind::Table& table_;
};

// "KEY: error" of every failure, "half done, KEY: error" where it is.
template <class Kind>
std::vector<std::string> write(reconcile::Driver<Kind>& driver,
                               const reconcile::Changes<Kind>& changes,
                               const typename Kind::Table& desired = {}) {
  std::vector<std::string> errors;
  driver.write(changes, TableDesired<Kind>(desired), [&](auto failures) {
    for (const auto& failure : failures)
      errors.push_back((failure.half_done ? "half done, " : "") +
                       (failure.key ? Kind::describe(*failure.key) : "whole write") + ": " +
                       failure.error.message);
  });
  return errors;
}

// Writes every entry of a table as new, and as removed, whatever the kernel holds.
template <class Kind>
std::vector<std::string> add(reconcile::Driver<Kind>& driver, const typename Kind::Table& table) {
  reconcile::Changes<Kind> changes;
  for (const auto& [key, value] : table) changes.emplace_back(key, nullptr, &value);
  return write(driver, changes, table);
}
template <class Kind>
std::vector<std::string> remove(reconcile::Driver<Kind>& driver,
                                const typename Kind::Table& table) {
  reconcile::Changes<Kind> changes;
  for (const auto& [key, value] : table) changes.emplace_back(key, &value, nullptr);
  return write(driver, changes);
}

// What the driver reads differs from `desired` by this: "missing KEY (VALUE)".
template <class Kind>
std::vector<std::string> drift(reconcile::Driver<Kind>& driver,
                               const typename Kind::Table& desired) {
  std::vector<std::string> lines;
  const auto actual = read_all(driver);
  EXPECT_TRUE(actual) << actual.error().message;
  if (!actual) return {"unreadable"};
  for (const auto& change : reconcile::diff<Kind>(desired, *actual)) {
    const reconcile::Drift drift = reconcile::to_drift(change);
    lines.push_back(std::string(to_string(drift.problem)) + " " + drift.key + ": " + drift.actual +
                    " -> " + drift.desired);
  }
  return lines;
}

// Makes the kernel the desired: additions and changes first, then removals, until nothing differs.
template <class Kind>
std::vector<std::string> repair(reconcile::Driver<Kind>& driver,
                                const typename Kind::Table& desired) {
  for (const bool removals : {false, true}) {
    const auto actual = read_all(driver);
    EXPECT_TRUE(actual) << actual.error().message;
    if (!actual) return {"unreadable"};
    reconcile::Changes<Kind> changes;
    for (const auto& change : reconcile::diff<Kind>(desired, *actual))
      if ((change.value == nullptr) == removals) changes.push_back(change);
    if (auto errors = write(driver, changes, desired); !errors.empty()) return errors;
  }
  return drift(driver, desired);
}

}  // namespace weft::tables

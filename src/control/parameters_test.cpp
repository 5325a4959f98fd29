// SPDX-License-Identifier: Apache-2.0
#include "control/parameters.h"

#include <gtest/gtest.h>

namespace weft::control {
namespace {

using Type = Parameter::Type;

const std::vector<Parameter> kExplain = {{"source", Type::kString, true},
                                         {"port", Type::kNumber, false},
                                         {"wide", Type::kBoolean, false}};

std::string refusal(const Parameters& given, const std::vector<Parameter>& known = kExplain) {
  const auto checked = check({"explain", given}, known);
  return checked ? "(accepted)" : checked.error().message;
}

TEST(ControlParameters, WhatIsDeclaredIsAcceptedAndRead) {
  const Request full{"explain", {{"source", "web"}, {"port", std::int64_t{80}}, {"wide", true}}};
  ASSERT_TRUE(check(full, kExplain));
  EXPECT_EQ(string_in(full, "source"), "web");
  EXPECT_EQ(number_in(full, "port"), 80);
  EXPECT_TRUE(boolean_in(full, "wide"));

  const Request least{"explain", {{"source", "web"}}};
  ASSERT_TRUE(check(least, kExplain));
  EXPECT_EQ(number_in(least, "port"), std::nullopt);
  EXPECT_FALSE(boolean_in(least, "wide"));
}

TEST(ControlParameters, WhatIsUnknownIsRefused) {
  EXPECT_EQ(refusal({{"source", "a"}, {"sauce", "b"}}),
            "explain: unknown parameter \"sauce\" (known: source, port, wide)");
  EXPECT_EQ(refusal({{"x", true}}, {}), "explain: unknown parameter \"x\" (it takes none)");
}

TEST(ControlParameters, AnotherTypeIsRefused) {
  EXPECT_EQ(refusal({{"source", std::int64_t{7}}}), "explain: source: 7 is not a string");
  EXPECT_EQ(refusal({{"source", "a"}, {"port", "80"}}),
            "explain: port: \"80\" is not a whole number");
  EXPECT_EQ(refusal({{"source", "a"}, {"wide", std::int64_t{1}}}),
            "explain: wide: 1 is not true or false");
}

TEST(ControlParameters, WhatIsRequiredMustBeThere) {
  EXPECT_EQ(refusal({{"wide", true}}), "explain: source is required, a string");
}

}  // namespace
}  // namespace weft::control

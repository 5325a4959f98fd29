// SPDX-License-Identifier: Apache-2.0
#include "cni/json.h"

#include <gtest/gtest.h>

namespace weft::cni {
namespace {

Json json(std::string_view text) { return parse_json(text).value(); }

// What a reader says of `text` after `read`.
template <class Read>
std::string fault_of(std::string_view text, Read read) {
  const Json object = json(text);
  ObjectReader reader(object, "ipam");
  read(reader);
  const auto done = reader.done();
  return done ? "" : std::to_string(done.error().code) + " " + done.error().message;
}

TEST(ParseJson, RefusesWhatIsNot) {
  for (const char* text : {"", "{", "{\"a\":}", "{} {}", "{\"a\":\"\xff\"}"}) {
    const auto parsed = parse_json(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, 6U);
  }
}

TEST(ObjectReader, NullIsAbsent) {
  const Json object = json(R"({"a":null})");
  ObjectReader reader(object, "");
  EXPECT_FALSE(reader.boolean("a"));
  EXPECT_EQ(reader.text("a", "x"), "x");
  EXPECT_EQ(reader.integer("a", 0, 9), std::nullopt);
  EXPECT_EQ(reader.object("a"), nullptr);
  EXPECT_TRUE(reader.done());
}

TEST(ObjectReader, NamesFieldAndValue) {
  EXPECT_EQ(fault_of(R"({"a":"yes"})", [](auto& r) { r.boolean("a"); }),
            "6 ipam.a: \"yes\" is not a boolean");
  EXPECT_EQ(fault_of(R"({"a":1.0})", [](auto& r) { r.integer("a", 0, 9); }),
            "6 ipam.a: 1.0 is not an integer");
  EXPECT_EQ(fault_of(R"({"a":10})", [](auto& r) { r.integer("a", 0, 9); }),
            "7 ipam.a: 10 is not within 0 to 9");
  EXPECT_EQ(fault_of(R"({"a":-1})", [](auto& r) { r.number("a"); }),
            "7 ipam.a: -1 is not within 0 to 4294967295");
  EXPECT_EQ(fault_of(R"({"a":18446744073709551615})", [](auto& r) { r.number("a"); }),
            "7 ipam.a: 18446744073709551615 is not within 0 to 4294967295");
  EXPECT_EQ(fault_of(R"({"a":7})", [](auto& r) { r.text("a"); }), "6 ipam.a: 7 is not a string");
  EXPECT_EQ(fault_of(R"({"a":[7]})", [](auto& r) { r.texts("a"); }),
            "6 ipam.a[0]: 7 is not a string");
  EXPECT_EQ(fault_of(R"({"a":{}})", [](auto& r) { r.texts("a"); }), "6 ipam.a: {} is not an array");
  EXPECT_EQ(fault_of(R"({"a":[]})", [](auto& r) { r.object("a"); }),
            "6 ipam.a: [] is not an object");
  EXPECT_EQ(fault_of("[]", [](auto&) {}), "6 ipam: [] is not an object");
}

TEST(ObjectReader, Addresses) {
  const Json object = json(R"({"ip":"fd00::1","net":"10.0.0.1/24","mac":"02:00:00:00:00:01"})");
  ObjectReader reader(object, "");
  EXPECT_EQ(reader.address("ip")->to_string(), "fd00::1");
  EXPECT_EQ(reader.prefix("net")->to_string(), "10.0.0.1/24");
  EXPECT_EQ(reader.mac("mac")->to_string(), "02:00:00:00:00:01");
  EXPECT_TRUE(reader.done());
  const std::string fault = fault_of(R"({"a":"10.0.0.1"})", [](auto& r) { r.prefix("a"); });
  EXPECT_EQ(fault, "7 ipam.a: \"10.0.0.1\" is not an address with a prefix length");
  EXPECT_EQ(fault_of(R"({"a":"10.0.0.256"})", [](auto& r) { r.address("a"); }).substr(0, 8),
            "7 ipam.a");
}

TEST(ObjectReader, KeepsTheFirstFault) {
  EXPECT_EQ(fault_of(R"({"a":1,"b":2})",
                     [](auto& r) {
                       r.text("b");
                       r.text("a");
                     }),
            "6 ipam.b: 2 is not a string");
}

}  // namespace
}  // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
#include "document/field.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "document/json.h"
#include "document/known_fields.h"
#include "document/reading.h"

namespace weft::document {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The same text as simdjson has it, and as nlohmann does: a Field reads both alike.
class FieldTest : public ::testing::TestWithParam<bool> {
 protected:
  Field read(const std::string& text) {
    error_.reset();
    if (GetParam()) return {Value(parser_.parse(text).value()), error_};
    tree_ = nlohmann::json::parse(text);
    return {Value(tree_), error_};
  }
  std::string error() const { return error_ ? error_->pointer + ": " + error_->message : ""; }

  simdjson::dom::parser parser_{};
  nlohmann::json tree_{};
  std::optional<FieldError> error_{};
};

INSTANTIATE_TEST_SUITE_P(Both, FieldTest, ::testing::Bool(), [](const auto& parameter) {
  return parameter.param ? "Simdjson" : "Nlohmann";
});

TEST_P(FieldTest, ReadsEveryType) {
  const Field object = read(R"({"text": "a", "flag": true, "number": 7, "list": ["x", "y"],
                                "labels": {"k": "v"}, "ip": "10.0.0.1", "net": "10.0.0.0/8"})");
  EXPECT_EQ(object["text"].text(), "a");
  EXPECT_TRUE(object["flag"].flag(false));
  EXPECT_EQ(object["number"].number(1, 9), 7);
  EXPECT_THAT(object["list"].texts(), ElementsAre("x", "y"));
  EXPECT_EQ(object["list"].items().size(), 2U);
  EXPECT_EQ(object["labels"].labels().at("k"), "v");
  EXPECT_EQ(object["ip"].address().to_string(), "10.0.0.1");
  EXPECT_EQ(object["net"].network().to_string(), "10.0.0.0/8");
  EXPECT_EQ(object.at("/labels/k").text(), "v");
  EXPECT_EQ(error(), "");
}

TEST_P(FieldTest, MissingAndNullAreTheDefault) {
  const Field object = read(R"({"null": null})");
  for (const char* name : {"null", "missing"}) {
    const Field field = object[name];
    EXPECT_FALSE(field.is_set());
    EXPECT_EQ(field["below"]["it"].text("else"), "else");
    EXPECT_TRUE(field.flag(true));
    EXPECT_EQ(field.number(1, 9), 0);
    EXPECT_THAT(field.texts(), IsEmpty());
    EXPECT_THAT(field.labels(), IsEmpty());
  }
  EXPECT_TRUE(object["null"].is_there());
  EXPECT_FALSE(object["missing"].is_there());
  EXPECT_EQ(error(), "");
}

TEST_P(FieldTest, TheFirstErrorNamesPlaceDemandAndValue) {
  const Field object = read(R"({"a": [{"b/c": 70000}], "d": 1})");
  object["a"].each([](const Field& item) { item["b/c"].port(); });
  object["d"].text();
  EXPECT_EQ(error(), "/a/0/b~1c: must be a number from 1 to 65535, not 70000");
}

TEST_P(FieldTest, AWrongTypeIsAnError) {
  const auto wrong = [&](const std::string& text, auto use) {
    use(read(text)["f"]);
    return error();
  };
  EXPECT_EQ(wrong(R"({"f": 1})", [](const Field& f) { f.text(); }), "/f: must be a string, not 1");
  EXPECT_EQ(wrong(R"({"f": 1})", [](const Field& f) { f.flag(true); }),
            "/f: must be true or false, not 1");
  EXPECT_EQ(wrong(R"({"f": 1.5})", [](const Field& f) { f.number(1, 9); }),
            "/f: must be a number from 1 to 9, not 1.5");
  EXPECT_EQ(wrong(R"({"f": 18446744073709551615})", [](const Field& f) { f.number(1, 9); }),
            "/f: must be a number from 1 to 9, not 18446744073709551615");
  EXPECT_EQ(wrong(R"({"f": "x"})", [](const Field& f) { f.items(); }),
            "/f: must be a list, not \"x\"");
  EXPECT_EQ(wrong(R"({"f": ["x", null]})", [](const Field& f) { f.texts(); }),
            "/f/1: must be a string");
  EXPECT_EQ(wrong(R"({"f": "x"})", [](const Field& f) { f["g"].text(); }),
            "/f: must be an object, not \"x\"");
  EXPECT_EQ(wrong(R"({"f": {"k": 1}})", [](const Field& f) { f.labels(); }),
            "/f/k: must be a string, not 1");
}

TEST(KnownFields, WhatNobodyAskedForIsAnErrorWithItsLine) {
  const auto document = parse_json("{\"known\": \"a\",\n\"unknown\": 1}", "agent.json");
  ASSERT_TRUE(document);
  Reading reading(*document);
  KnownFields fields(reading.root());
  std::string known;
  fields.optional("known", known, [](const Value& value) -> Result<std::string> {
    return std::string(value.text().value_or(""));
  });
  fields.done();
  EXPECT_EQ(known, "a");
  const auto outcome = reading.outcome();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "agent.json:2: unknown: unknown field; known here: known");
}

}  // namespace
}  // namespace weft::document

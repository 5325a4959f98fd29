// SPDX-License-Identifier: Apache-2.0
#include "control/message.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace weft::control {
namespace {

TEST(ControlMessage, RequestsRoundTrip) {
  EXPECT_EQ(encode(Request{"status"}), R"({"method":"status"})");
  EXPECT_EQ(decode_request(R"({"method":"verify"})").value(), Request{"verify"});
  EXPECT_EQ(decode_request(R"({"parameters":{},"method":"verify"})").value(), Request{"verify"});
  const Request request{"explain",
                        {{"port", std::int64_t{-80}}, {"source", "a \"pod\"\n"}, {"wide", true}}};
  EXPECT_EQ(encode(request),
            R"({"method":"explain","parameters":{"port":-80,"source":"a \"pod\"\n","wide":true}})");
  EXPECT_EQ(decode_request(encode(request)).value(), request);
}

TEST(ControlMessage, ErrorsNameFieldAndValue) {
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"", "the request is not a JSON object"},
           {"[]", "the request is not a JSON object"},
           {"{}", "the request has no method"},
           {R"({"parameters":{}})", "the request has no method"},
           {R"({"method":7})", "method: 7 is not a string"},
           {R"({"method":"x","extra":1})", "unknown field \"extra\" (known: method, parameters)"},
           {R"({"method":"x","parameters":[1]})", "parameters: [1] is not an object"},
           {R"({"method":"x","parameters":null})", "parameters: null is not an object"},
           {R"({"method":"x","parameters":{"a":1.5}})",
            "parameters: a: 1.5 is no string, whole number or boolean"},
           {R"({"method":"x","parameters":{"a":{"b":1}}})",
            R"(parameters: a: {"b":1} is no string, whole number or boolean)"},
           {R"({"method":"x","parameters":{"a":9223372036854775808}})",
            "parameters: a: 9223372036854775808 is no string, whole number or boolean"}}) {
    const auto result = decode_request(text);
    EXPECT_EQ(result ? "(accepted)" : result.error().message, message) << text;
  }
}

TEST(ControlMessage, ResponsesRoundTrip) {
  EXPECT_EQ(decode_response(encode(Result<std::string>(R"({"a":1})"))).value(), R"({"a":1})");
  const auto refused = decode_response(encode(fail("no \"such\" method\n")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "no \"such\" method\n");
  for (const char* text : {"", "{", "[]", "{}", R"({"ok":1})", R"({"ok":true})", R"({"ok":false})"})
    EXPECT_FALSE(decode_response(text)) << text;
}

}  // namespace
}  // namespace weft::control

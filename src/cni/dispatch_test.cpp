// SPDX-License-Identifier: Apache-2.0
#include "cni/dispatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "cni/json.h"
#include "cni/version.h"

namespace weft::cni {
namespace {

using testing::HasSubstr;

Outcome<CniResult> fake_add(const Request& request) {
  CniResult result;
  result.interfaces.push_back({.name = request.environment.ifname});
  return result;
}
Outcome<> fake_del(const Request&) { return {}; }
Outcome<CniResult> failing_add(const Request&) {
  return fail(ErrorCode::kTryAgainLater, "not now", "come back");
}
Outcome<> failing_del(const Request&) { return CniFailure(Error{"delete: No such thing", 2}); }

constexpr std::array<Plugin, 2> kPlugins = {{
    {.name = "good", .add = fake_add, .del = fake_del},
    {.name = "bad", .add = failing_add, .del = failing_del},
}};

constexpr const char* kConfig = R"({"cniVersion":"1.0.0","name":"net","type":"good"})";

struct Call {
  std::string program = "/opt/cni/bin/good";
  Variables variables{{"CNI_COMMAND", "ADD"},
                      {"CNI_CONTAINERID", "abc"},
                      {"CNI_NETNS", "/no/such/ns"},
                      {"CNI_IFNAME", "eth0"},
                      {"CNI_PATH", "/opt/cni/bin"}};
  std::string input = kConfig;

  Response respond() const {
    return cni::respond(kPlugins, program, variables,
                        [this]() -> Result<std::string> { return input; });
  }
};

Call call(const std::string& verb, const std::string& program = "good") {
  Call call;
  call.program = program;
  call.variables["CNI_COMMAND"] = verb;
  return call;
}

void expect_error(const Call& call, unsigned code, const std::string& text) {
  const Response response = call.respond();
  EXPECT_EQ(response.status, 1);
  const Json json = parse_json(response.out).value_or(Json::object());
  EXPECT_EQ(json.value("code", 0U), code) << response.out;
  EXPECT_THAT(json.value("msg", "") + "; " + json.value("details", ""), HasSubstr(text));
  EXPECT_TRUE(is_supported(json.value("cniVersion", "")));
}

TEST(Dispatch, AddPrintsTheResultInTheConfigurationsVersion) {
  const Response response = call("ADD", "/any/where/good").respond();
  EXPECT_EQ(response.status, 0);
  EXPECT_EQ(response.out,
            "{\n    \"cniVersion\": \"1.0.0\",\n    \"interfaces\": [\n        {\n"
            "            \"name\": \"eth0\"\n        }\n    ]\n}\n");
}

TEST(Dispatch, DelPrintsNothing) {
  const Response response = call("DEL").respond();
  EXPECT_EQ(response.status, 0);
  EXPECT_EQ(response.out, "");
}

TEST(Dispatch, VersionNeedsNeitherInputNorOtherVariables) {
  const Response response =
      cni::respond(kPlugins, "good", {{"CNI_COMMAND", "VERSION"}}, []() -> Result<std::string> {
        ADD_FAILURE() << "stdin was read";
        return "";
      });
  EXPECT_EQ(response.status, 0);
  const Json json = parse_json(response.out).value();
  EXPECT_EQ(json["cniVersion"], "1.1.0");
  EXPECT_EQ(print_compact(json["supportedVersions"]), supported_versions());
}

TEST(Dispatch, RunByHandItSaysWhatItIs) {
  const Response response = cni::respond(kPlugins, "good", {}, {});
  EXPECT_EQ(response.status, 0);
  EXPECT_EQ(response.out, "");
  EXPECT_THAT(response.err, HasSubstr("0.1.0"));
}

TEST(Dispatch, ErrorsArePrinted) {
  EXPECT_EQ(call("ADD", "bad").respond().out,
            "{\n    \"cniVersion\": \"1.0.0\",\n    \"code\": 11,\n    \"msg\": \"not now\",\n"
            "    \"details\": \"come back\"\n}\n");
  expect_error(call("DEL", "bad"), 999, "delete: No such thing");
}

TEST(Dispatch, UnknownPlugin) {
  expect_error(call("ADD", "weft-cni"), 4, "this binary has: good, bad");
}

TEST(Dispatch, MissingVariables) {
  Call missing;
  missing.variables.erase("CNI_NETNS");
  expect_error(missing, 4, "[CNI_NETNS]");
}

TEST(Dispatch, UnknownVerb) { expect_error(call("PAINT"), 4, "unknown CNI_COMMAND: PAINT"); }

TEST(Dispatch, InputThatIsNoConfiguration) {
  Call bad;
  bad.input = "";
  expect_error(bad, 6, "not valid JSON");
  bad.input = "[]";
  expect_error(bad, 6, "[] is not an object");
  bad.input = R"({"cniVersion":1})";
  expect_error(bad, 6, "cniVersion: 1 is not a string");
  bad.input = R"({"cniVersion":"1.0.0"})";
  expect_error(bad, 7, "missing network name");
  bad.input = R"({"cniVersion":"1.0.0","name":"../up"})";
  expect_error(bad, 7, "../up");
  bad.input = R"({"cniVersion":"1.0.0","name":"net","prevResult":{"ips":[{}]}})";
  expect_error(bad, 6, "prevResult: ips[0].address: missing");
}

TEST(Dispatch, IncompatibleVersions) {
  Call future;
  future.input = R"({"cniVersion":"2.0.0","name":"net"})";
  expect_error(future, 1, R"(config is "2.0.0", plugin supports ["0.1.0")");
  Call old = call("CHECK");
  old.input = R"({"cniVersion":"0.3.1","name":"net"})";
  expect_error(old, 1, "config version does not allow CHECK");
  for (const char* verb : {"GC", "STATUS"})
    expect_error(call(verb), 1, std::string("config version does not allow ") + verb);
}

TEST(Dispatch, AVerbThatIsNotThereIsSaidSo) {
  for (const char* verb : {"CHECK", "GC", "STATUS"}) {
    Call newest = call(verb);
    newest.input = R"({"cniVersion":"1.1.0","name":"net"})";
    expect_error(newest, 4, std::string("plugin good does not implement CNI_COMMAND=") + verb);
  }
}

TEST(Dispatch, UnreadableInput) {
  const Response response =
      cni::respond(kPlugins, "good", Call{}.variables,
                   []() -> Result<std::string> { return weft::fail("read stdin: Bad file"); });
  EXPECT_THAT(response.out, HasSubstr("\"code\": 5"));
}

TEST(Dispatch, ItsOwnNamespaceIsRefusedUnlessMeant) {
  Call own;
  own.variables["CNI_NETNS"] = "/proc/self/ns/net";
  expect_error(own, 8, "CNI_NETNS=/proc/self/ns/net");
  own.variables["CNI_NETNS_OVERRIDE"] = "true";
  EXPECT_EQ(own.respond().status, 0);
}

TEST(Dispatch, NoVersionIsTheFirst) {
  Call none;
  none.input = R"({"name":"net"})";
  expect_error(none, 999, "cannot convert: no valid IP addresses");
}

}  // namespace
}  // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
#include "cni/configuration_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_directory.h"

namespace weft::cni {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(std::string_view text) {
  const auto list = parse_configuration_list(text);
  return list ? "accepted" : list.error().message;
}

TEST(ConfigurationList, Reads) {
  const auto list = parse_configuration_list(R"({
    "cniVersion": "1.0.0", "name": "net", "disableCheck": true, "disableGC": "true",
    "plugins": [{"type": "bridge", "mtu": 1450},
                {"type": "portmap", "capabilities": {"portMappings": true, "mac": false}}]})")
                        .value();
  EXPECT_EQ(list.name, "net");
  EXPECT_EQ(list.cni_version, "1.0.0");
  EXPECT_TRUE(list.disable_check);
  EXPECT_TRUE(list.disable_gc);
  ASSERT_EQ(list.plugins.size(), 2U);
  EXPECT_EQ(list.plugins[0].json, R"({"type":"bridge","mtu":1450})");
  EXPECT_THAT(list.plugins[1].capabilities, ElementsAre("portMappings"));
}

TEST(ConfigurationList, TakesTheHighestVersionItSpeaks) {
  const auto version = [](const std::string& keys) {
    const auto list =
        parse_configuration_list("{" + keys + R"("name":"net","plugins":[{"type":"x"}]})");
    return list ? list->cni_version : list.error().message;
  };
  EXPECT_EQ(version(""), "0.1.0");
  EXPECT_EQ(version(R"("cniVersion":"0.4.0",)"), "0.4.0");
  EXPECT_EQ(version(R"("cniVersion":"0.4.0","cniVersions":["0.3.1","1.1.0","7.0.0"],)"), "1.1.0");
  EXPECT_EQ(version(R"("cniVersions":["0.3.1","1.0.0"],)"), "1.0.0");
  EXPECT_THAT(version(R"("cniVersion":"7.0.0",)"), HasSubstr("\"7.0.0\" is not supported"));
}

TEST(ConfigurationList, Refusals) {
  EXPECT_THAT(refusal("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal(R"({"plugins":[{"type":"x"}]})"), HasSubstr("name: missing network name"));
  EXPECT_THAT(refusal(R"({"name":"net"})"), HasSubstr("plugins: none"));
  EXPECT_THAT(refusal(R"({"name":"net","plugins":[]})"), HasSubstr("plugins: none"));
  EXPECT_THAT(refusal(R"({"name":"net","plugins":[{}]})"), HasSubstr("plugins[0].type: missing"));
  EXPECT_THAT(refusal(R"({"name":"net","plugins":[7]})"), HasSubstr("plugins[0]: 7"));
  EXPECT_THAT(refusal(R"({"name":"net","disableCheck":"yes","plugins":[{"type":"x"}]})"),
              HasSubstr("disableCheck: \"yes\""));
}

class ConfigurationDirectory : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& content) {
    std::ofstream(directory_ + "/" + name) << content;
  }
  const TemporaryDirectory temporary_{};
  const std::string directory_ = temporary_.path();
};

TEST_F(ConfigurationDirectory, TheFirstByName) {
  put("20-b.conflist", R"({"name":"b","plugins":[{"type":"x"}]})");
  put("10-a.conflist", R"({"name":"a","plugins":[{"type":"x"}]})");
  put("05-no.conf", R"({"name":"no","type":"x"})");
  EXPECT_EQ(first_configuration_list(directory_)->name, "a");
}

TEST_F(ConfigurationDirectory, SaysWhereItLooked) {
  EXPECT_THAT(first_configuration_list(directory_).error().message, HasSubstr(directory_));
  EXPECT_THAT(first_configuration_list(directory_ + "/x").error().message, HasSubstr("/x"));
  put("10-a.conflist", "{");
  EXPECT_THAT(first_configuration_list(directory_).error().message,
              HasSubstr("10-a.conflist: not valid JSON"));
}

}  // namespace
}  // namespace weft::cni

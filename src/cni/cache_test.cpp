// SPDX-License-Identifier: Apache-2.0
#include "cni/cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/temporary_directory.h"

namespace weft::cni {
namespace {

TEST(Base64, TestVectorsOfTheRfc) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe"), "//4=");
}

class Cache : public testing::Test {
 protected:
  Cache() {
    list_.name = "net";
    list_.json = "foob";
  }
  std::string file() const { return cache_file(directory_, "net", attachment_); }

  const TemporaryDirectory temporary_{};
  const std::string directory_ = temporary_.path();
  ConfigurationList list_{};
  Attachment attachment_{"abc", "/run/netns/x", "eth0", {{"K", "V"}}, R"({"ips":["10.1.0.7"]})"};
  Json result_ = {{"cniVersion", "1.0.0"}};
};

TEST_F(Cache, IsLibcnisFile) {
  ASSERT_TRUE(write_cache(directory_, list_, attachment_, result_));
  EXPECT_EQ(file(), directory_ + "/results/net-abc-eth0");
  std::ifstream stream(file());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}),
            R"({"kind":"cniCacheV1","containerId":"abc","config":"Zm9vYg==","ifName":"eth0",)"
            R"("networkName":"net","netns":"/run/netns/x","cniArgs":[["K","V"]],)"
            R"("capabilityArgs":{"ips":["10.1.0.7"]},"result":{"cniVersion":"1.0.0"}})");
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(Cache, ReadsBackAndRemoves) {
  ASSERT_TRUE(write_cache(directory_, list_, attachment_, result_));
  EXPECT_EQ(read_cache(directory_, list_, attachment_), result_);
  remove_cache(directory_, list_, attachment_);
  EXPECT_EQ(read_cache(directory_, list_, attachment_), std::nullopt);
  EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/results"));
}

TEST_F(Cache, WhatCannotBeReadIsNotThere) {
  std::filesystem::create_directories(directory_ + "/results");
  for (const char* text : {"", "{", "[]", R"({"kind":"other","result":{}})",
                           R"({"kind":"cniCacheV1"})", R"({"kind":7,"result":{}})"}) {
    std::ofstream(file()) << text;
    EXPECT_EQ(read_cache(directory_, list_, attachment_), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weft::cni

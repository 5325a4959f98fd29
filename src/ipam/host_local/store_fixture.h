// SPDX-License-Identifier: Apache-2.0
// For tests: a data directory that goes with the test, and its files' bytes.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace weft::ipam {

class StoreFixture : public testing::Test {
 protected:
  StoreFixture() {
    std::string pattern = testing::TempDir() + "/weft-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    directory_ = pattern;
  }
  ~StoreFixture() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& file) const { return directory_ + "/net/" + file; }
  std::string bytes(const std::string& file) const {
    std::ifstream stream(path(file), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void put(const std::string& file, const std::string& content) const {
    std::filesystem::create_directories(directory_ + "/net");
    std::ofstream(path(file), std::ios::binary) << content;
  }
  bool exists(const std::string& file) const { return std::filesystem::exists(path(file)); }

  std::string directory_{};
};

}  // namespace weft::ipam

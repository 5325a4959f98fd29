// SPDX-License-Identifier: Apache-2.0
// For tests: a data directory that goes with the test, and its files' bytes.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/temporary_directory.h"

namespace weft::ipam {

class StoreFixture : public testing::Test {
 protected:
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

  const TemporaryDirectory temporary_{};
  const std::string directory_ = temporary_.path();
};

}  // namespace weft::ipam

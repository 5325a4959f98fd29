// SPDX-License-Identifier: Apache-2.0
// To read is to read: verify promises that nothing is written, not even where there is something to
// tidy up (of the agent as a whole: tests/netns/test_verify.py).
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/temporary_directory.h"
#include "tables/driver_fixture.h"
#include "tables/file_driver.h"
#include "tables/sysctl_driver.h"

namespace weft::tables {
namespace {

class PureReadsTest : public DriverFixture {
 protected:
  PureReadsTest() { std::filesystem::create_directories(root_ / "sysctl"); }

  void put(const std::string& name, const std::string& text) const {
    std::ofstream(root_ / name) << text;
  }
  // Every file and directory: which one it is, and when it was last written.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
      struct stat status {};
      EXPECT_EQ(::stat(entry.path().c_str(), &status), 0);
      files[entry.path()] = std::to_string(status.st_ino) + " " +
                            std::to_string(status.st_mtim.tv_sec) + "." +
                            std::to_string(status.st_mtim.tv_nsec);
    }
    return files;
  }

  const TemporaryDirectory directory_{};
  const std::filesystem::path root_ = directory_.path();
};

TEST_F(PureReadsTest, OfFiles) {
  put("there", "x");
  put("owned", "y");
  put("files", (root_ / "there").string() + "\n" + (root_ / "gone").string() + "\n");
  FileDriver driver({root_ / "owned"}, root_);
  const auto before = files();
  EXPECT_EQ(read_all(driver)->size(), 2U);
  EXPECT_EQ(files(), before);
  EXPECT_TRUE(driver.tidy());
  std::ifstream record(root_ / "files");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(record), {}),
            (root_ / "owned").string() + "\n" + (root_ / "there").string() + "\n");
}

TEST_F(PureReadsTest, OfSysctls) {
  put("sysctl/net:ipv4:ip_forward", "boot this\nprevious 0\nours 1\n");
  put("sysctl/net:ipv4:ip_default_ttl", "boot that\nprevious 64\nours 70\n");
  put("sysctl/.net:ipv4:ip_forward.new", "bo");
  SysctlDriver driver(Netns::current().value(), root_, "this", {});
  const auto before = files();
  EXPECT_EQ(read_all(driver)->size(), 1U);
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/source.h"

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <memory>

#include "cluster/manifests/directory_fixture.h"

namespace weft::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ManifestSourceTest : public DirectoryFixture {
 protected:
  static constexpr std::chrono::milliseconds kRetryCopies{10};
  void start() {
    source_ = std::make_unique<ManifestSource>(
        loop_, ManifestSource::Options{path_, copies_, kRetryCopies},
        [this](const std::string& problem) {
          report_(problem);
          if (expected_()) loop_.stop();
        },
        [this] {
          ++passes_;
          if (expected_()) loop_.stop();
        });
    const auto started = source_->start(state_);
    ASSERT_TRUE(started) << started.error().message;
  }
  // Serves the loop until `expected` holds after a pass or a report, or five seconds.
  bool until(std::function<bool()> expected) {
    expected_ = std::move(expected);
    loop::Timer deadline(loop_, [this] { loop_.stop(); });
    deadline.arm(loop::Loop::now() + std::chrono::seconds(5));
    loop_.run();
    return expected_();
  }

  loop::Loop loop_ = loop::Loop::open().value();
  std::function<bool()> expected_ = [] { return false; };
  int passes_ = 0;
  std::unique_ptr<ManifestSource> source_{};
};

TEST_F(ManifestSourceTest, ABurstIsFewPasses) {
  start();
  EXPECT_TRUE(state_.is_synced());
  for (int i = 1; i <= 50; ++i) {
    const std::string name = "s" + std::to_string(i);
    write(".new", service(name, i));  // as atomic writers do
    std::filesystem::rename(path_ + "/.new", path_ + "/" + name + ".yaml");
  }
  EXPECT_TRUE(until([&] { return state_.services().size() == 50; }));
  EXPECT_LE(passes_, 3);
}

TEST_F(ManifestSourceTest, WhatIsTakenAwayAndPutBackAtOnceWasNeverGone) {
  write("a.yaml", service("a", 1));
  start();
  state_.take_changes();
  remove("a.yaml");
  loop::Timer put_back(loop_, [this] { write("a.yaml", service("a", 1)); });
  put_back.arm(loop::Loop::now() + std::chrono::milliseconds(8));
  EXPECT_TRUE(until([&] { return passes_ == 1; }));
  EXPECT_TRUE(state_.take_changes().empty());
}

TEST_F(ManifestSourceTest, FollowsRemovalAndAReplacedDirectory) {
  write("a.yaml", service("a", 1));
  start();
  remove("a.yaml");
  EXPECT_TRUE(until([&] { return state_.services().empty(); }));
  std::filesystem::rename(path_, path_ + "-old");
  std::filesystem::create_directory(path_);
  write("b.yaml", service("b", 2));
  EXPECT_TRUE(until([&] { return services() == std::vector<std::string>{"b:2"}; }));
  write("b.yaml", service("b", 3));
  EXPECT_TRUE(until([&] { return services() == std::vector<std::string>{"b:3"}; }));
  std::filesystem::remove_all(path_ + "-old");
}

TEST_F(ManifestSourceTest, ADirectoryThatIsGoneIsAProblemUntilItIsBack) {
  write("a.yaml", service("a", 1));
  start();
  EXPECT_THAT(source_->problems(), IsEmpty());
  std::filesystem::rename(path_, path_ + "-away");
  EXPECT_TRUE(until([&] { return !reports_.empty(); }));
  const std::string problem =
      "manifest directory: " + path_ + ": No such file or directory; what it last said stands";
  EXPECT_THAT(take_reports(), ElementsAre(problem));
  EXPECT_EQ(source_->problems().at(""), problem);
  EXPECT_THAT(services(), ElementsAre("a:1"));
  std::filesystem::rename(path_ + "-away", path_);
  EXPECT_TRUE(until([&] { return source_->problems().empty(); }));
  EXPECT_THAT(reports_, IsEmpty());
}

TEST_F(ManifestSourceTest, AFileWrittenInPlaceIsReadWhenItIsClosed) {
  start();
  std::ofstream slow(path_ + "/slow.yaml");
  slow << service("one", 1) << std::flush;
  write("other.yaml", service("other", 9));
  EXPECT_TRUE(until([&] { return services() == std::vector<std::string>{"other:9"}; }));
  slow << service("two", 2) << std::flush;
  write("other.yaml", service("other", 8));
  EXPECT_TRUE(until([&] { return services() == std::vector<std::string>{"other:8"}; }));
  slow.close();
  EXPECT_TRUE(until([&] { return services().size() == 3; }));
}

TEST_F(ManifestSourceTest, CopiesThatCouldNotBeMadeAreTriedAgain) {
  write("a.yaml", service("a", 1));
  write("b.yaml", service("b", 2));
  std::filesystem::create_directory(copies_);  // where the file should be
  start();
  EXPECT_TRUE(until([&] { return passes_ >= 3; }));
  EXPECT_THAT(take_reports(), ElementsAre(HasSubstr("would not outlast a restart")));
  EXPECT_EQ(source_->problems().size(), 1U);
  std::filesystem::remove(copies_);
  EXPECT_TRUE(until([&] { return source_->problems().empty(); }));
  EXPECT_THAT(LastGood(copies_).names(), ElementsAre("a.yaml", "b.yaml"));
  EXPECT_THAT(take_reports(), IsEmpty());
}

// As the kubelet mounts a ConfigMap: the files are symlinks through ..data, which a rename
// replaces.
TEST_F(ManifestSourceTest, FollowsTheSwapOfAMountedConfigMap) {
  const auto link = [&](const std::string& to, const std::string& name) {
    std::filesystem::create_symlink(to, path_ + "/" + name);
  };
  for (const int version : {1, 2}) {
    const std::string name = "..version" + std::to_string(version);
    std::filesystem::create_directory(path_ + "/" + name);
    write(name + "/a.yaml", service("a", version));
  }
  write("..version2/b.yaml", service("b", 2));
  link("..version1", "..data");
  link("..data/a.yaml", "a.yaml");
  start();
  EXPECT_THAT(services(), ElementsAre("a:1"));
  link("..version2", "..data_tmp");
  std::filesystem::rename(path_ + "/..data_tmp", path_ + "/..data");
  EXPECT_TRUE(until([&] { return services() == std::vector<std::string>{"a:2"}; }));
  link("..data/b.yaml", "b.yaml");
  EXPECT_TRUE(until([&] { return services() == std::vector<std::string>{"a:2", "b:2"}; }));
}

TEST_F(ManifestSourceTest, NeedsTheDirectory) {
  ManifestSource source(loop_, {path_ + "/missing", copies_}, report_, [] {});
  EXPECT_EQ(source.name(), "the manifests in " + path_ + "/missing");
  const auto started = source.start(state_);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("manifest directory: " + path_ + "/missing"));
}

}  // namespace
}  // namespace weft::cluster

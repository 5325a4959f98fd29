// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/directory.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/unique_fd.h"
#include "cluster/manifests/directory_fixture.h"

namespace weft::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

class ManifestDirectoryTest : public DirectoryFixture {
 protected:
  ManifestDirectory directory_{path_, copies_, state_, report_};
};

TEST_F(ManifestDirectoryTest, FirstScanReadsEverythingAndIsInSync) {
  write("a.yaml", service("a", 1) + service("b", 2));
  write("c.json", R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"c"},)"
                  R"("spec":{"ports":[{"port":3}]}})");
  write(".hidden.yaml", service("hidden", 4));
  write("notes.txt", "no manifest");
  std::filesystem::create_directory(path_ + "/directory.yaml");
  EXPECT_FALSE(state_.is_synced());
  ASSERT_TRUE(directory_.scan());
  EXPECT_TRUE(state_.is_synced());
  EXPECT_THAT(services(), ElementsAre("a:1", "b:2", "c:3"));
  EXPECT_THAT(reports_, IsEmpty());
}

TEST_F(ManifestDirectoryTest, FollowsChangesAndRemovals) {
  write("a.yaml", service("a", 1) + service("b", 2));
  ASSERT_TRUE(directory_.scan());
  state_.take_changes();
  write("a.yaml", service("a", 1) + service("c", 3));
  ASSERT_TRUE(directory_.scan({"a.yaml"}));
  EXPECT_THAT(services(), ElementsAre("a:1", "c:3"));
  EXPECT_EQ(state_.take_changes().services().size(), 2U);  // b and c, not a
  remove("a.yaml");
  ASSERT_TRUE(directory_.scan({"a.yaml", "never-was.yaml"}));
  EXPECT_THAT(services(), IsEmpty());
  EXPECT_THAT(reports_, IsEmpty());
}

TEST_F(ManifestDirectoryTest, AFullScanFindsRemovedFiles) {
  write("a.yaml", service("a", 1));
  ASSERT_TRUE(directory_.scan());
  remove("a.yaml");
  ASSERT_TRUE(directory_.scan({""}));
  EXPECT_THAT(services(), IsEmpty());
}

TEST_F(ManifestDirectoryTest, ABrokenFileKeepsItsLastGoodState) {
  write("a.yaml", service("a", 1));
  write("b.yaml", "kind: [");
  ASSERT_TRUE(directory_.scan());
  EXPECT_TRUE(state_.is_synced());
  EXPECT_THAT(take_reports(), ElementsAre(HasSubstr("b.yaml:1: ")));
  write("a.yaml", service("a", 0));
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(services(), ElementsAre("a:1"));
  const std::string message =
      "a.yaml:5: Service a: spec.ports[0].port: must be a number from 1 to 65535, not 0; its last "
      "good state stands";
  EXPECT_THAT(take_reports(), ElementsAre(message));
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(take_reports(), IsEmpty());
  EXPECT_EQ(directory_.problems().at("a.yaml"), message);
  write("a.yaml", service("a", 2));
  remove("b.yaml");
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(services(), ElementsAre("a:2"));
  EXPECT_THAT(directory_.problems(), IsEmpty());
}

TEST_F(ManifestDirectoryTest, TheLastGoodStateOutlastsARestart) {
  write("a.yaml", service("a", 1));
  write("b.yaml", service("b", 2));
  write("c.yaml", service("c", 3));
  write("d.yaml", "kind: [");
  ASSERT_TRUE(directory_.scan());
  write("b.yaml", service("b", 22));
  ASSERT_TRUE(directory_.scan({"b.yaml"}));
  take_reports();

  write("a.yaml", "kind: [");
  write("b.yaml", service("b", 0));
  remove("c.yaml");
  model::ClusterState state;
  ManifestDirectory restarted(path_, copies_, state, report_);
  ASSERT_TRUE(restarted.scan());
  ASSERT_EQ(state.services().size(), 2U);
  EXPECT_EQ(state.services().at({"default", "b"})->ports.at(0).port, 22);
  EXPECT_THAT(take_reports(),
              ElementsAre(AllOf(HasSubstr("a.yaml:1: "), HasSubstr("; its last good state stands")),
                          AllOf(HasSubstr("b.yaml:5: "), HasSubstr("; its last good state stands")),
                          AllOf(HasSubstr("d.yaml:1: "), Not(HasSubstr("last good")))));
  ASSERT_TRUE(restarted.scan());
  EXPECT_THAT(take_reports(), IsEmpty());

  // What went while nobody looked is gone, also when it comes back broken.
  write("c.yaml", "kind: [");
  ASSERT_TRUE(restarted.scan());
  model::ClusterState again;
  ManifestDirectory third(path_, copies_, again, report_);
  ASSERT_TRUE(third.scan());
  EXPECT_EQ(again.services().size(), 2U);

  write("a.yaml", service("a", 11));
  ASSERT_TRUE(third.scan({"a.yaml"}));
  EXPECT_EQ(again.services().at({"default", "a"})->ports.at(0).port, 11);
  remove("a.yaml");
  remove("b.yaml");
  ASSERT_TRUE(third.scan({"a.yaml", "b.yaml"}));
  EXPECT_THAT(again.services(), IsEmpty());
  EXPECT_THAT(LastGood(copies_).names(), IsEmpty());
}

TEST_F(ManifestDirectoryTest, ACopyThatCannotBeMadeIsAProblemThatStopsNothing) {
  std::filesystem::create_directory(copies_);  // where the file should be
  write("a.yaml", service("a", 1));
  write("b.yaml", service("b", 2));
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(services(), ElementsAre("a:1", "b:2"));
  EXPECT_THAT(directory_.not_kept(), ElementsAre("a.yaml", "b.yaml"));
  const std::string problem = "a.yaml and 1 more: would not outlast a restart: ";
  EXPECT_THAT(take_reports(), ElementsAre(HasSubstr(problem)));
  EXPECT_THAT(directory_.problems(), ElementsAre(Pair(copies_, HasSubstr(problem))));
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(take_reports(), IsEmpty());

  std::filesystem::remove(copies_);
  remove("b.yaml");
  ASSERT_TRUE(directory_.scan(std::set(directory_.not_kept())));
  EXPECT_THAT(directory_.problems(), IsEmpty());
  EXPECT_EQ(LastGood(copies_).read("a.yaml"), service("a", 1));
}

TEST_F(ManifestDirectoryTest, WhatIsNoRegularFileIsAProblemAndNeverWaitedFor) {
  const auto fifo = [&](const std::string& name) {
    ASSERT_EQ(::mkfifo((path_ + "/" + name).c_str(), 0600), 0);
  };
  const auto link = [&](const std::string& to, const std::string& name) {
    std::filesystem::create_symlink(to, path_ + "/" + name);
  };
  write("a.yaml", service("a", 1));
  write("target", service("linked", 2));
  link("target", "linked.yaml");
  fifo("fifo.yaml");
  link("/dev/zero", "device.yaml");
  link("loop.yaml", "loop.yaml");
  link("nowhere", "dangling.yaml");
  link("/", "root.yaml");
  std::filesystem::create_directory(path_ + "/directory.yaml");
  const sockaddr_un address = [&] {
    sockaddr_un made{};
    made.sun_family = AF_UNIX;
    (path_ + "/socket.yaml").copy(made.sun_path, sizeof made.sun_path - 1);
    return made;
  }();
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);

  const std::vector<std::string> problems{
      "device.yaml: is not a regular file", "fifo.yaml: is not a regular file",
      "loop.yaml: Too many levels of symbolic links", "socket.yaml: is not a regular file"};
  ASSERT_TRUE(directory_.scan());
  EXPECT_TRUE(state_.is_synced());
  EXPECT_THAT(services(), ElementsAre("a:1", "linked:2"));
  EXPECT_THAT(take_reports(), ElementsAreArray(problems));

  ASSERT_TRUE(directory_.scan({"fifo.yaml", "device.yaml", "loop.yaml", "socket.yaml", "root.yaml",
                               "dangling.yaml", "directory.yaml"}));
  EXPECT_THAT(take_reports(), IsEmpty());
  EXPECT_EQ(directory_.problems().size(), problems.size());

  remove("a.yaml");
  fifo("a.yaml");
  ASSERT_TRUE(directory_.scan({"a.yaml"}));
  EXPECT_THAT(services(), ElementsAre("a:1", "linked:2"));  // the last good state
  EXPECT_THAT(take_reports(),
              ElementsAre("a.yaml: is not a regular file; its last good state stands"));
  remove("a.yaml");
  std::filesystem::create_directory(path_ + "/a.yaml");
  ASSERT_TRUE(directory_.scan({"a.yaml"}));
  EXPECT_THAT(services(), ElementsAre("linked:2"));
}

TEST_F(ManifestDirectoryTest, AFileHasALargestSize) {
  write("a.json", "[]");
  std::filesystem::resize_file(path_ + "/a.json", 65U << 20);
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(reports_, ElementsAre("a.json: is larger than 64 MiB"));
}

TEST_F(ManifestDirectoryTest, TheFirstFileKeepsAnObjectThatTwoHave) {
  write("b.yaml", service("web", 2));
  ASSERT_TRUE(directory_.scan());
  write("c.yaml", service("web", 3));
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(services(), ElementsAre("web:2"));
  EXPECT_THAT(take_reports(),
              ElementsAre("c.yaml: Service default/web is also in b.yaml, whose version counts"));
  write("a.yaml", service("web", 1));
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(services(), ElementsAre("web:1"));
  EXPECT_EQ(directory_.problems().size(), 2U);
  remove("a.yaml");
  write("b.yaml", service("other", 9));
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(services(), ElementsAre("other:9", "web:3"));
  EXPECT_THAT(directory_.problems(), IsEmpty());
  remove("c.yaml");
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(services(), ElementsAre("other:9"));
}

TEST_F(ManifestDirectoryTest, UnknownKindsAndDoublesAreToldAndLeftAlone) {
  const std::string deployment =
      "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n";
  write("a.yaml", service("a", 1) + deployment + service("a", 2));
  write("b.yaml", deployment);
  ASSERT_TRUE(directory_.scan());
  EXPECT_THAT(services(), ElementsAre("a:1"));
  EXPECT_THAT(reports_, ElementsAre("a.yaml: apps/v1 Deployment is no kind that matters here; left "
                                    "alone",
                                    "a.yaml: Service default/a is given twice: the first counts"));
}

TEST_F(ManifestDirectoryTest, AMissingDirectoryIsAnErrorThatChangesNothing) {
  write("a.yaml", service("a", 1));
  ASSERT_TRUE(directory_.scan());
  std::filesystem::rename(path_, path_ + "-away");
  const auto scanned = directory_.scan();
  ASSERT_FALSE(scanned);
  EXPECT_THAT(scanned.error().message, HasSubstr(path_));
  EXPECT_THAT(services(), ElementsAre("a:1"));
  std::filesystem::rename(path_ + "-away", path_);
}

}  // namespace
}  // namespace weft::cluster

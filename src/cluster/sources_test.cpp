// SPDX-License-Identifier: Apache-2.0
#include "cluster/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace weft::cluster {
namespace {

using model::key;
using model::Node;
using model::Object;
using model::ObjectName;
using model::Service;
using model::ServiceType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ObjectName kWeb{"default", "web"};
const model::ObjectKey kWebKey = key<Service>(kWeb);

Service web(ServiceType type) { return {kWeb, {}, type, {}, {}, {}}; }

// A source that says what the test tells it to.
class SpokenSource final : public Source {
 public:
  explicit SpokenSource(std::string name) : name_(std::move(name)) {}

  std::string name() const override { return name_; }
  Result<> start(model::SourceSink& sink) override {
    if (!fault_.empty()) return fail(fault_);
    sink_ = &sink;
    return {};
  }
  std::map<std::string, std::string> problems() const override { return problems_; }
  void report(const ObjectStatus& status) override { reported_.push_back(status); }

  std::string name_;
  std::string fault_{};
  model::SourceSink* sink_ = nullptr;
  std::map<std::string, std::string> problems_{};
  std::vector<ObjectStatus> reported_{};
};

class SourcesTest : public ::testing::Test {
 protected:
  SourcesTest() {
    for (SpokenSource** at : {&files_, &server_}) {
      auto source = std::make_unique<SpokenSource>(at == &files_ ? "files" : "server");
      *at = source.get();
      sources_.add(std::move(source));
    }
    EXPECT_TRUE(sources_.start());
  }

  ServiceType served() const { return state_.services().at(kWeb)->type; }
  std::vector<std::string> take_reports() { return std::exchange(reports_, {}); }

  const std::string conflict_ =
      "Service default/web is in files and also in server: the version of the former counts";

  model::ClusterState state_{};
  std::vector<std::string> reports_{};
  SpokenSource* files_ = nullptr;
  SpokenSource* server_ = nullptr;
  Sources sources_{state_, [this](const std::string& message) { reports_.push_back(message); }};
};

TEST_F(SourcesTest, IsSyncedWhenEverySourceIs) {
  EXPECT_THAT(sources_.waited_for(), ElementsAre("files", "server"));
  server_->sink_->synced();
  EXPECT_FALSE(state_.is_synced());
  EXPECT_THAT(sources_.waited_for(), ElementsAre("files"));
  files_->sink_->synced();
  EXPECT_TRUE(state_.is_synced());
  EXPECT_THAT(sources_.waited_for(), IsEmpty());
}

TEST_F(SourcesTest, TheFirstConfiguredWinsWhoeverToldFirst) {
  files_->sink_->upsert(web(ServiceType::kNodePort));
  server_->sink_->upsert(web(ServiceType::kLoadBalancer));
  EXPECT_EQ(served(), ServiceType::kNodePort);
  EXPECT_THAT(take_reports(), ElementsAre(conflict_));
  EXPECT_THAT(sources_.problems(), ElementsAre(conflict_));

  // What the other one says of it from now on waits, and is no news.
  server_->sink_->upsert(web(ServiceType::kClusterIp));
  EXPECT_EQ(served(), ServiceType::kNodePort);
  EXPECT_THAT(take_reports(), IsEmpty());
}

TEST_F(SourcesTest, TheFirstConfiguredTakesOverFromOneThatToldBefore) {
  server_->sink_->upsert(web(ServiceType::kLoadBalancer));
  EXPECT_EQ(served(), ServiceType::kLoadBalancer);
  EXPECT_THAT(sources_.problems(), IsEmpty());
  files_->sink_->upsert(web(ServiceType::kNodePort));
  EXPECT_EQ(served(), ServiceType::kNodePort);
  EXPECT_THAT(take_reports(), ElementsAre(conflict_));

  files_->sink_->remove(kWebKey);
  EXPECT_EQ(served(), ServiceType::kLoadBalancer) << "as it was told before";
  EXPECT_THAT(sources_.problems(), IsEmpty());
}

TEST_F(SourcesTest, WhenItIsGivenUpTheLatestVersionOfTheOtherTakesOver) {
  files_->sink_->upsert(web(ServiceType::kNodePort));
  server_->sink_->upsert(web(ServiceType::kLoadBalancer));
  server_->sink_->upsert(web(ServiceType::kClusterIp));
  state_.take_changes();
  files_->sink_->remove(kWebKey);
  EXPECT_EQ(served(), ServiceType::kClusterIp);
  EXPECT_EQ(state_.take_changes().of<Service>().at(kWeb), web(ServiceType::kNodePort));
  server_->sink_->remove(kWebKey);
  EXPECT_TRUE(state_.services().empty());
}

TEST_F(SourcesTest, OneThatGivesUpWhatDoesNotCountChangesNothing) {
  files_->sink_->upsert(web(ServiceType::kNodePort));
  server_->sink_->upsert(web(ServiceType::kLoadBalancer));
  server_->sink_->remove(kWebKey);
  server_->sink_->remove(key<Node>({"", "never told of"}));
  EXPECT_EQ(served(), ServiceType::kNodePort);
  EXPECT_THAT(sources_.problems(), IsEmpty());
  files_->sink_->remove(kWebKey);
  EXPECT_TRUE(state_.services().empty());
}

// A slice without a Service is nobody's, and still somebody's version of it.
TEST_F(SourcesTest, ASliceWithoutAServiceIsArbitratedToo) {
  model::EndpointSlice slice;
  slice.name = {"default", "s"};
  server_->sink_->upsert(slice);
  slice.service_name = "web";
  files_->sink_->upsert(slice);
  EXPECT_EQ(state_.endpoint_slices(kWeb).size(), 1U);
  files_->sink_->remove(key<model::EndpointSlice>(slice.name));
  EXPECT_TRUE(state_.endpoint_slices(kWeb).empty());
  EXPECT_TRUE(state_.find(key<model::EndpointSlice>(slice.name)));
}

TEST_F(SourcesTest, ProblemsAreThoseOfEverySource) {
  server_->problems_ = {{"", "no answer"}};
  files_->problems_ = {{"a.yaml", "a.yaml:1: no"}, {"b.yaml", "b.yaml:2: no"}};
  EXPECT_THAT(sources_.problems(), ElementsAre("a.yaml:1: no", "b.yaml:2: no", "no answer"));
}

TEST_F(SourcesTest, StatusGoesToTheSourceWhoseVersionCounts) {
  const ObjectStatus status{kWebKey, {{"Served", true, "Written", ""}}};
  sources_.report(status);  // nobody has it
  server_->sink_->upsert(web(ServiceType::kClusterIp));
  sources_.report(status);
  EXPECT_EQ(server_->reported_.size(), 1U);
  files_->sink_->upsert(web(ServiceType::kClusterIp));
  sources_.report(status);
  EXPECT_EQ(server_->reported_.size(), 1U);
  ASSERT_EQ(files_->reported_.size(), 1U);
  EXPECT_EQ(files_->reported_[0].conditions, status.conditions);
}

TEST(Sources, StartFailsWithTheSourceThatDoes) {
  model::ClusterState state;
  Sources sources(state, [](const std::string&) {});
  auto source = std::make_unique<SpokenSource>("files");
  source->fault_ = "files: not there";
  sources.add(std::move(source));
  const auto started = sources.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "files: not there");
}

}  // namespace
}  // namespace weft::cluster

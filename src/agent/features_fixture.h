// SPDX-License-Identifier: Apache-2.0
//
// For tests: the agent's features over a kernel that does nothing, and a back end that renders
// Services as files, so that what is planned can be seen.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/features.h"
#include "agent/pod_network_feature.h"
#include "agent/services_feature.h"
#include "base/fake_clock.h"

namespace weft::agent {

// A kernel that has nothing, and takes everything but what is of the kind `refused`.
template <class Kind>
class NoDriver final : public reconcile::PromptDriver<Kind> {
 public:
  explicit NoDriver(const std::string_view& refused) : refused_(refused) {}
  Result<typename Kind::Table> read() override { return typename Kind::Table(); }
  void write(const reconcile::Changes<Kind>&, const reconcile::Desired<Kind>&,
             reconcile::WriteDone<Kind> done) override {
    if (Kind::kName == refused_) return done({{std::nullopt, Error{"refused"}}});
    done({});
  }

 private:
  const std::string_view& refused_;
};

// Renders a frontend as a file named after it, so that what is planned can be seen.
class FakeBackend final : public service::ServiceBackend {
 public:
  explicit FakeBackend(Result<service::Interpretation> left) : left_(std::move(left)) {}
  std::string_view name() const override { return "fake"; }
  void plan_base(const service::ServiceContext& context, tables::TableChanges& out) override {
    out.set<tables::FileKind>("base", std::to_string(context.families.size()));
    for (const Prefix& cidr : context.service_cidrs)
      out.set<tables::FileKind>(cidr.to_string(), "dropped");
  }
  void plan(const model::ServiceTable& table, const model::ServiceDelta& changed,
            tables::TableChanges& out) override {
    for (const model::FrontendChange& change : changed.frontends) {
      if (change.current)
        out.set<tables::FileKind>(change.frontend.to_string(),
                                  std::to_string(table.backends_of(*change.current).size()));
      else
        out.remove<tables::FileKind>(change.frontend.to_string());
    }
  }
  Result<service::Interpretation> interpret(tables::KernelTables&) const override { return left_; }

 private:
  Result<service::Interpretation> left_;
};

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }
inline Prefix prefix(const char* text) { return *Prefix::parse(text); }

class FeaturesTest : public testing::Test {
 protected:
  FeaturesTest() {
    tables::TableChanges().each([&]<class Kind>(const std::vector<reconcile::Edit<Kind>>&) {
      reconciler_.add<Kind>(std::make_shared<NoDriver<Kind>>(refused_), {});
    });
    config_.node_name = "node1";
    config_.cluster_cidrs = {prefix("10.244.0.0/16"), prefix("fd00:10:244::/48")};
    for (const char* n : {"1", "2", "3"}) state_.upsert(node(n));
    make();
  }

  static model::Node node(const std::string& number) {
    model::Node made;
    made.name.name = "node" + number;
    made.internal_ips = {ip(("172.31.0.1" + number).c_str())};
    made.pod_cidrs = {prefix(("10.244." + number + ".0/24").c_str())};
    return made;
  }

  static model::EndpointSlice slice(const char* service, const char* address) {
    model::EndpointSlice made;
    made.name = {"default", service};
    made.service_name = service;
    made.endpoints = {{{ip(address)}, true, true, false, ""}};
    made.ports = {{"", model::Protocol::kUdp, 53}};
    return made;
  }

  static model::Service service(const char* name, const char* cluster_ip) {
    model::Service made;
    made.name = {"default", name};
    made.cluster_ips = {ip(cluster_ip)};
    made.ports = {{"", model::Protocol::kUdp, 53, 0}};
    return made;
  }

  void make() {
    Features::List list;
    list.push_back(std::make_unique<PodNetworkFeature>(config_));
    list.push_back(std::make_unique<ServicesFeature>(
        config_, std::make_unique<FakeBackend>(left_),
        [this](const service::UdpFlows& flows) { served_ += flows.served.size(); }));
    features_.emplace(std::move(list));
  }

  Result<> update() { return update(*state_.nodes().at({"", "node1"})); }
  Result<> update(const model::Node& self) {
    return features_->update(state_, state_.take_changes(), self, underlay_, reconciler_);
  }

  // Of the features that an update has plan, in order.
  std::vector<std::shared_ptr<const reconcile::Ticket>> tickets() {
    std::vector<std::shared_ptr<const reconcile::Ticket>> out;
    EXPECT_TRUE(features_->update(state_, state_.take_changes(), *state_.nodes().at({"", "node1"}),
                                  underlay_, reconciler_,
                                  [&](const auto& written) { out.push_back(written); }));
    return out;
  }

  template <class Kind>
  std::vector<std::string> keys() {
    std::vector<std::string> out;
    reconciler_.each<Kind>(
        [&](const auto& key, const auto&) { out.push_back(Kind::describe(key)); });
    std::sort(out.begin(), out.end());
    return out;
  }
  // What the FakeBackend made.
  std::set<std::string> rendered() {
    std::set<std::string> out;
    reconciler_.each<tables::FileKind>([&](const std::string& key, const auto&) {
      if (!key.starts_with('/')) out.insert(key);
    });
    return out;
  }
  std::set<std::string> problems() {
    const std::vector<std::string> all = features_->problems();
    return {all.begin(), all.end()};
  }
  std::vector<std::string> new_problems() {
    std::vector<std::string> out;
    for (const auto& [owner, text] : features_->take_new_problems()) out.push_back(text);
    return out;
  }
  // How many entries were planned since the last call.
  std::uint64_t planned() {
    std::uint64_t now = 0;
    for (const PlanCounts& counts : features_->counts()) now += counts.entries;
    return now - std::exchange(planned_before_, now);
  }
  bool says(std::string_view title, std::string_view text) {
    for (const StatusSection& section : features_->status(state_))
      for (const StatusLine& line : section.lines)
        if (line.title == title) return line.text == text;
    return false;
  }
  bool has_route(const char* destination) {
    return reconciler_.find<tables::RouteKind>({prefix(destination), 0}) != nullptr;
  }

  FakeClock clock_{};
  std::string_view refused_{};  // a kind
  reconcile::Reconciler reconciler_{clock_, {}};
  Config config_{};
  model::ClusterState state_{};
  podnet::Underlay underlay_{.link = "eth0", .mtu = 1500, .address = ip("172.31.0.11")};
  Result<service::Interpretation> left_ = service::Interpretation{};  // by an earlier agent
  std::optional<Features> features_{};
  std::size_t served_ = 0;  // UDP flows, told
  std::uint64_t planned_before_ = 0;
};

}  // namespace weft::agent

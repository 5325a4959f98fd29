// SPDX-License-Identifier: Apache-2.0
//
// Services as a feature: ServiceCompiler (model/) works out what this node does for each frontend,
// a ServiceBackend (service/) renders it. What is left here is which of the inputs they need.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/feature.h"
#include "model/service_compiler.h"
#include "service/service_backend.h"
#include "service/udp_flows.h"

namespace weft::agent {

class ServicesFeature final : public Feature {
 public:
  // Told as it is planned what a change does to UDP flows; of the first plan from what an earlier
  // agent left.
  using UdpFlowsChanged = std::function<void(const service::UdpFlows&)>;

  ServicesFeature(const Config& config, std::unique_ptr<service::ServiceBackend> backend,
                  UdpFlowsChanged udp_flows_changed);

  std::string_view owner() const override { return "services"; }
  std::uint8_t depends_on() const override {
    return Input::kSelf | Input::kNodes | Input::kServices;
  }
  void take_over(tables::KernelTables& kernel) override;
  Result<> plan(const Inputs& now, const InputChanges& changed, Plan& out) override;
  std::vector<std::string> problems() const override;
  std::vector<std::string> take_new_problems() override;
  StatusSection status(const model::ClusterState& state) const override;

 private:
  service::ServiceContext context_for(const model::Node& self) const;
  model::ServiceNode service_node(const model::Node& self) const;
  model::NodeAddresses node_addresses(const Inputs& now) const;
  void note_address_problems(const model::Node& self);

  service::ServiceContext configured_;
  std::vector<IpAddress> node_port_addresses_;
  std::unique_ptr<service::ServiceBackend> backend_;
  UdpFlowsChanged udp_flows_changed_;

  model::ServiceTable left_{};  // by an earlier agent, until the first plan
  model::ServiceCompiler compiler_{{}};
  std::optional<service::ServiceContext> context_{};  // as planned
  std::vector<std::string> address_problems_{};
  std::vector<std::string> new_problems_{};
};

}  // namespace weft::agent

// SPDX-License-Identifier: Apache-2.0
// A manifest directory of a test's own, and what is read from it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/temporary_directory.h"
#include "cluster/manifests/directory.h"
#include "model/cluster_state.h"

namespace weft::cluster {

inline std::string service(const std::string& name, int port) {
  return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         "}\nspec: {clusterIP: 10.96.0.1, ports: [{port: " + std::to_string(port) + "}]}\n";
}

class DirectoryFixture : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
  }
  void remove(const std::string& name) const { std::filesystem::remove(path_ + "/" + name); }

  // "name:port", by name.
  std::vector<std::string> services() const {
    std::vector<std::string> texts;
    for (const auto& [name, known] : state_.services())
      texts.push_back(name.name + ":" + std::to_string(known->ports.at(0).port));
    return texts;
  }
  std::vector<std::string> take_reports() { return std::exchange(reports_, {}); }

  const TemporaryDirectory directory_of_manifests_{};
  const TemporaryDirectory directory_of_copies_{};
  const std::string path_ = directory_of_manifests_.path();
  const std::string copies_ = directory_of_copies_.path() + "/copies";
  model::ClusterState state_{};
  std::vector<std::string> reports_{};
  ManifestDirectory::Report report_ = [this](const std::string& message) {
    reports_.push_back(message);
  };
};

}  // namespace weft::cluster

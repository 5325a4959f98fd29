// SPDX-License-Identifier: Apache-2.0
#include "lab/names.h"

#include <gtest/gtest.h>

namespace weft::lab {
namespace {

LabNames names(std::string_view lab) { return *LabNames::for_lab(lab); }

TEST(LabNames, RefusesWhatIsNoDnsLabel) {
  for (const char* bad : {"", "-a", "a-", "A", "a/b", "..", "a_b", "a b"}) {
    const auto refused = LabNames::for_lab(bad);
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_NE(refused.error().message.find("lab name"), std::string::npos);
  }
  EXPECT_FALSE(LabNames::for_lab(std::string(41, 'a')).has_value());
  EXPECT_TRUE(LabNames::for_lab(std::string(40, 'a')).has_value());
  EXPECT_TRUE(LabNames::for_lab("a-1").has_value());
}

TEST(LabNames, KnowsTheLogsOfANamespaceFromThoseOfALongerName) {
  const LabNames lab = names("a");
  const auto is_of_check = [](const std::string& log) {
    return LabNames::is_pod_log(log.substr(log.rfind('/') + 1), "weft-check");
  };
  EXPECT_TRUE(is_of_check(lab.pod_log("weft-check", "client-node1")));
  EXPECT_FALSE(is_of_check(lab.pod_log("weft-check-x", "client")));
  EXPECT_FALSE(is_of_check(lab.pod_log("default", "weft-check-x")));
  EXPECT_FALSE(is_of_check(lab.pod_log("default", "weft-check")));
  EXPECT_TRUE(LabNames::is_pod_log("web.log", "default"));
  EXPECT_FALSE(LabNames::is_pod_log("weft-check_client.json", "weft-check"));
}

TEST(LabNames, OwnsItsFabricNodesAndPodsOnly) {
  const LabNames lab = names("a");
  EXPECT_TRUE(lab.owns_netns("weft-a-fabric"));
  EXPECT_TRUE(lab.owns_netns("weft-a-node12"));
  EXPECT_TRUE(lab.owns_netns("weft-a-node12-0123abcd"));
  EXPECT_FALSE(lab.owns_netns("weft-ab-fabric"));
  EXPECT_FALSE(lab.owns_netns("weft-a-node"));
  EXPECT_FALSE(lab.owns_netns("weft-a-node1-0123abcg"));
  EXPECT_FALSE(lab.owns_netns("weft-a-node1-0123abcd1"));
}

TEST(LabNames, OwnsNothingOfALabWhoseNameBeginsWithItsOwn) {
  const LabNames lab = names("a");
  const LabNames longer = names("a-node1");
  for (const std::string& netns :
       {longer.fabric_netns(), longer.node_netns("node3"), longer.pod_netns("node3", "0123abcd")}) {
    EXPECT_TRUE(longer.owns_netns(netns)) << netns;
    EXPECT_FALSE(lab.owns_netns(netns)) << netns;
  }
}

}  // namespace
}  // namespace weft::lab

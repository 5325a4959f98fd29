// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/admission.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace weft::lab {
namespace {

namespace fs = std::filesystem;

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    fs::create_directories(lab_.names.manifests_directory());
    fs::create_directories(lab_.names.objects_directory());
    EXPECT_TRUE(
        store_
            .put({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "default"}}}})
            .has_value());
  }
  ~AdmissionTest() override { fs::remove_all(lab_.names.directory()); }

  Result<std::vector<Admitted>> apply(const std::string& yaml) {
    const std::string file = lab_.names.directory() + "/in.yaml";
    EXPECT_TRUE(write_file(file, yaml).has_value());
    auto documents = read_manifests({file});
    if (!documents) return Failure(std::move(documents.error()));
    documents_ = *documents;
    return admit(lab_, documents_, store_);
  }

  std::string refusal(const std::string& yaml) {
    const auto result = apply(yaml);
    return result ? "accepted" : result.error().message;
  }

  Lab lab_{*LabNames::for_lab("test-" + std::to_string(::getpid()) + "-admission"), {}, {}};
  ObjectStore store_{lab_.names};
  std::vector<document::Document> documents_{};
};

constexpr const char* kWeb = R"(
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
)";

TEST_F(AdmissionTest, NamesAreWhatTheApiTakes) {
  const auto named = [&](const std::string& kind, const std::string& name) {
    return refusal("apiVersion: v1\nkind: " + kind + "\nmetadata: {name: \"" + name +
                   "\"}\nspec: {ports: [{port: 80}], containers: [{name: c, command: [x]}]}\n");
  };
  for (const std::string name : {"../etc", "a/b", "Foo", "foo_bar", "-a", "a-", "a.b", "9a", ""})
    EXPECT_NE(named("Service", name), "accepted") << name;
  for (const std::string& name :
       std::vector<std::string>{"a..b", "a/b", "A", std::string(254, 'a')})
    EXPECT_NE(named("Pod", name), "accepted") << name;
  EXPECT_NE(named("Namespace", "a.b"), "accepted");
  EXPECT_NE(named("Service", "foo_bar").find("metadata.name: \"foo_bar\" is no name for a Service"),
            std::string::npos)
      << named("Service", "foo_bar");
  EXPECT_EQ(named("Service", "web-1"), "accepted");
  EXPECT_EQ(named("Pod", "9a.b-c"), "accepted");
  EXPECT_EQ(named("Namespace", "9a"), "accepted");
}

TEST_F(AdmissionTest, TellsWhatBecameOfEachObject) {
  const auto first = apply(kWeb);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_EQ((*first)[0].what, "service/web");
  EXPECT_EQ((*first)[0].how, "created");
  EXPECT_EQ((*first)[1].how, "left alone: the lab does not play this kind");
  EXPECT_EQ((*apply(kWeb))[0].how, "unchanged");
  EXPECT_EQ(
      (*apply(
          "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 81}]}\n"))[0]
          .how,
      "configured");
  EXPECT_NE(store_.find("Service", {"default", "web"}), nullptr);
}

TEST_F(AdmissionTest, ARefusedManifestChangesNothing) {
  const std::string message = refusal(std::string(kWeb) + R"(---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, image: nginx}]}
)");
  EXPECT_NE(message.find("Pod default/p: spec.containers[0].command: is required"),
            std::string::npos)
      << message;
  EXPECT_EQ(store_.find("Service", {"default", "web"}), nullptr);
}

TEST_F(AdmissionTest, ANamespaceMustBeThereOrComeAlong) {
  const std::string service =
      "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\nspec: {ports: [{port: "
      "1}]}\n";
  EXPECT_NE(refusal(service).find("there is no namespace shop"), std::string::npos);
  EXPECT_EQ(refusal(service + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"),
            "accepted");
}

TEST_F(AdmissionTest, WhatIsAllocatedAvoidsWhatTheSameManifestNames) {
  ASSERT_EQ(
      refusal("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}]}\n"),
      "accepted");
  const std::string ip = text_at(*store_.find("Service", {"default", "a"}), "/spec/clusterIP");
  ASSERT_TRUE(store_.remove("Service", {"default", "a"}).has_value());
  // `a` would get this address again, but `b`, which comes after it, asks for it.
  ASSERT_EQ(
      refusal(
          "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}]}\n---\n"
          "apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {clusterIP: " +
          ip + ", ports: [{port: 1}]}\n"),
      "accepted");
  EXPECT_NE(text_at(*store_.find("Service", {"default", "a"}), "/spec/clusterIP"), ip);
}

TEST_F(AdmissionTest, APodKeepsItsPlaceUntilItsSpecChanges) {
  const auto pod = [](const char* command) {
    return std::string(
               "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, "
               "command: [") +
           command + "]}]}\n";
  };
  ASSERT_EQ(refusal(pod("a")), "accepted");
  Json stored = *store_.find("Pod", {"default", "p"});
  stored["spec"]["nodeName"] = "node1";
  stored["status"]["phase"] = "Running";
  ASSERT_TRUE(store_.put(stored).has_value());
  ASSERT_EQ(refusal(pod("a")), "accepted");
  EXPECT_EQ(*store_.find("Pod", {"default", "p"}), stored);
  ASSERT_EQ(refusal(pod("b")), "accepted");
  EXPECT_FALSE(store_.find("Pod", {"default", "p"})->contains("status"));
}

TEST_F(AdmissionTest, ForgettingANamespaceForgetsWhatIsInIt) {
  ASSERT_EQ(refusal("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
                    "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\nspec: "
                    "{ports: [{port: 1}]}\n"),
            "accepted");
  documents_.resize(1);
  ASSERT_TRUE(forget(documents_, store_).has_value());
  EXPECT_TRUE(store_.all("Service").empty());
  EXPECT_EQ((*forget(documents_, store_))[0].how, "not there");
}

}  // namespace
}  // namespace weft::lab

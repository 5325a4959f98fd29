// SPDX-License-Identifier: Apache-2.0
#include "lab/control_plane/objects.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace weft::lab {
namespace {

namespace fs = std::filesystem;

class ObjectStoreTest : public testing::Test {
 protected:
  ObjectStoreTest() {
    fs::create_directories(names_.manifests_directory());
    fs::create_directories(names_.objects_directory());
  }
  ~ObjectStoreTest() override { fs::remove_all(names_.directory()); }

  const LabNames names_ = *LabNames::for_lab("test-" + std::to_string(::getpid()) + "-objects");
};

Json object(const std::string& kind, const std::string& value) {
  return {{"apiVersion", "v1"},
          {"kind", kind},
          {"metadata", {{"name", "a"}, {"namespace", "default"}, {"labels", {{"x", value}}}}}};
}

TEST_F(ObjectStoreTest, KeepsWhatWasPut) {
  ObjectStore store(names_);
  ASSERT_TRUE(store.put(object("Pod", "1")).has_value());
  ASSERT_TRUE(store.put(object("Deployment", "2")).has_value());
  const auto loaded = ObjectStore::load(names_);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(*loaded->find("Pod", {"default", "a"}), object("Pod", "1"));
  EXPECT_EQ(*loaded->find("Deployment", {"default", "a"}), object("Deployment", "2"));
  // Agents see only the kinds they know.
  EXPECT_EQ(std::distance(fs::directory_iterator(names_.manifests_directory()), {}), 1);
}

TEST_F(ObjectStoreTest, DoesNotWriteWhatDidNotChange) {
  ObjectStore store(names_);
  ASSERT_TRUE(store.put(object("Pod", "1")).has_value());
  const fs::path file = fs::directory_iterator(names_.manifests_directory())->path();
  fs::remove(file);
  ASSERT_TRUE(store.put(object("Pod", "1")).has_value());
  EXPECT_FALSE(fs::exists(file));
  ASSERT_TRUE(store.put(object("Pod", "2")).has_value());
  EXPECT_TRUE(fs::exists(file));
}

TEST_F(ObjectStoreTest, RemovesAndRefusesForeignFiles) {
  ObjectStore store(names_);
  ASSERT_TRUE(store.put(object("Pod", "1")).has_value());
  ASSERT_TRUE(store.remove("Pod", {"default", "a"}).has_value());
  EXPECT_EQ(store.find("Pod", {"default", "a"}), nullptr);
  EXPECT_TRUE(fs::is_empty(names_.manifests_directory()));
  ASSERT_TRUE(write_file(names_.objects_directory() + "/bad.json", "{").has_value());
  const auto loaded = ObjectStore::load(names_);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_NE(loaded.error().message.find("bad.json"), std::string::npos);
}

}  // namespace
}  // namespace weft::lab

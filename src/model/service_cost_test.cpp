// SPDX-License-Identifier: Apache-2.0
// What a change costs must follow the change, not the Service: counted in bytes allocated, which
// every copy, collection and sort of backends needs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "model/service_compiler.h"

namespace {
std::size_t allocated = 0;  // one thread
}

// Not inlined, or the compiler thinks that they do not belong together.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocated += size;
  if (void* made = std::malloc(size)) return made;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* made) noexcept { std::free(made); }
[[gnu::noinline]] void operator delete(void* made, std::size_t) noexcept { std::free(made); }

namespace weft::model {
namespace {

constexpr std::size_t kSlices = 50;  // of a hundred each, as the API server's controller makes them
constexpr std::size_t kEndpoints = 100;
constexpr std::size_t kMost = 20'000;  // bytes: the slice itself has more

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

// A Service with five frontends and 5,000 endpoints.
class ServiceCost : public ::testing::Test {
 protected:
  ServiceCost() {
    Service web;
    web.name = {"default", "web"};
    web.type = ServiceType::kNodePort;
    web.cluster_ips = {ip("10.96.0.1")};
    web.ports = {{"http", Protocol::kTcp, 80, 30080}};
    state_.upsert(web);
    for (std::size_t i = 0; i < kSlices; ++i) state_.upsert(slice(i));
    compile();
    EXPECT_EQ(compiler_.table().frontends.size(), 5U);
  }

  static EndpointSlice slice(std::size_t number) {
    EndpointSlice made;
    made.name = {"default", "web-" + std::to_string(number)};
    made.service_name = "web";
    made.ports = {{"http", Protocol::kTcp, 8080}};
    for (std::size_t i = 0; i < kEndpoints; ++i)
      made.endpoints.push_back(
          {{ip("10.244.0.0").plus(number * kEndpoints + i)}, true, true, false, "node2"});
    return made;
  }
  ServiceDelta compile() { return compiler_.compile(state_, state_.take_changes()); }
  // Bytes allocated by the compile step for `changed`.
  std::size_t cost_of(EndpointSlice changed) {
    state_.upsert(std::move(changed));
    const std::size_t before = allocated;
    delta_ = compile();
    return allocated - before;
  }

  ClusterState state_{};
  ServiceCompiler compiler_{
      {"node1", {ip("172.31.0.1"), ip("172.31.0.2"), ip("172.31.0.3"), ip("172.31.0.4")}}};
  ServiceDelta delta_{};
};

TEST_F(ServiceCost, OneEndpointOfManyCostsItself) {
  EndpointSlice changed = slice(17);
  changed.endpoints[50].address = ip("10.245.0.1");  // gives way to another
  EXPECT_LT(cost_of(changed), kMost);
  changed.endpoints.erase(changed.endpoints.begin() + 20);  // goes
  EXPECT_LT(cost_of(changed), kMost);
  changed.endpoints.push_back({{ip("10.245.0.2")}, true, true, false, "node1"});  // comes
  EXPECT_LT(cost_of(changed), kMost);
  changed.endpoints[0].ready = false;
  EXPECT_LT(cost_of(changed), kMost);
}

}  // namespace
}  // namespace weft::model

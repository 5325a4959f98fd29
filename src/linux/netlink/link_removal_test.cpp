// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/link_removal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cerrno>

#include "linux/netlink/rtnetlink_fixture.h"

namespace weft::netlink {
namespace {

using testing::HasSubstr;
using testing::Not;

class LinkRemovalTest : public RtnetlinkFixture {
 protected:
  LinkRemovalTest() {
    Batch batch;
    Link bridge;
    bridge.name = "br0";
    bridge.type = Bridge{};
    bridge.up = true;
    put_link(batch, bridge);
    run(batch);
  }
  // A bridge port here, its other end in the pod.
  void add_pair() {
    Batch batch;
    Link port;
    port.name = "port0";
    port.type = Veth{{"eth0"}};
    port.peer_netns = pod_.fd();
    port.master = index_of("br0");
    port.up = true;
    put_link(batch, port);
    run(batch);
    Link eth0;
    eth0.name = "eth0";
    eth0.up = true;
    put_link_change(batch, eth0);
    ASSERT_TRUE(in_pod_.run(batch));
  }
  std::uint32_t pod_index() { return find_link(in_pod_, "eth0").value().value().index; }

  Netns pod_ = fresh_netns();
  Socket in_pod_ = Socket::open(NETLINK_ROUTE, pod_).value();
};

TEST_F(LinkRemovalTest, BothEndsAreGoneAtOnce) {
  for (int time = 0; time < 20; ++time) {
    add_pair();
    ASSERT_TRUE(remove_link(in_pod_, pod_index()));
    EXPECT_FALSE(find_link(in_pod_, "eth0").value());
    EXPECT_FALSE(find_link(socket_, "port0").value());
    EXPECT_THAT(sh("bridge link"), Not(HasSubstr("port0")));
  }
}

TEST_F(LinkRemovalTest, FromEitherEnd) {
  add_pair();
  ASSERT_TRUE(remove_link(socket_, index_of("port0")));
  EXPECT_FALSE(find_link(in_pod_, "eth0").value());
  EXPECT_FALSE(find_link(socket_, "port0").value());
}

TEST_F(LinkRemovalTest, RefusalsAreTold) {
  const Result<> loopback = remove_link(socket_, 1);
  ASSERT_FALSE(loopback);
  EXPECT_EQ(loopback.error().code, EOPNOTSUPP);
  EXPECT_THAT(loopback.error().message, HasSubstr("RTM_DELLINK"));
}

// A runtime reads its plugin's output to the end.
TEST_F(LinkRemovalTest, WhatIsLeftRunningKeepsNothingOpen) {
  add_pair();
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK), 0);
  ASSERT_TRUE(remove_link(in_pod_, pod_index()));
  ::close(ends[1]);
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0);
  ::close(ends[0]);
}

TEST_F(LinkRemovalTest, WhatIsNotThereIsRemoved) {
  add_pair();
  const std::uint32_t index = pod_index();
  ASSERT_TRUE(remove_link(socket_, index_of("port0")));
  EXPECT_TRUE(remove_link(in_pod_, index));
  EXPECT_TRUE(remove_link(socket_, 4711));
}

}  // namespace
}  // namespace weft::netlink

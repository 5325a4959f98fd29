// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/neighbor.h"

#include <gmock/gmock.h>
#include <linux/neighbour.h>

#include <cerrno>

#include "linux/netlink/fdb.h"
#include "linux/netlink/rtnetlink_fixture.h"

namespace weft::netlink {
namespace {

using testing::HasSubstr;

class NeighborTest : public RtnetlinkFixture {
 protected:
  NeighborTest() {
    sh("ip link add vx0 type vxlan id 1 local 192.0.2.1 dstport 8472 nolearning; ip link set vx0 "
       "up;"
       "ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up");
    vx0_ = index_of("vx0");
  }
  std::uint32_t vx0_ = 0;
};

TEST_F(NeighborTest, AddsReplacesReadsAndRemovesBothFamilies) {
  Batch batch;
  for (const char* address : {"10.244.2.0", "fd00:10:244:2::"}) {
    put_neighbor(batch, {vx0_, ip(address), mac("02:00:00:00:00:01"), 0});
    put_neighbor(batch, {vx0_, ip(address), mac("02:00:00:00:00:02"), 0});
    run(batch);
    EXPECT_EQ(sh(std::string("ip neigh show ") + address + " dev vx0"),
              std::string(address) + " lladdr 02:00:00:00:00:02 PERMANENT \n");
  }
  sh("ip neigh add 10.9.9.9 lladdr 02:00:00:00:00:09 dev d0");
  const auto neighbors = list_neighbors(socket_, vx0_);
  ASSERT_TRUE(neighbors) << neighbors.error().message;
  std::vector<std::string> permanent;
  for (const Neighbor& neighbor : *neighbors)
    if ((neighbor.state & NUD_PERMANENT) != 0)
      permanent.push_back(neighbor.address.to_string() + " " + neighbor.mac.to_string());
  EXPECT_THAT(permanent, testing::UnorderedElementsAre("10.244.2.0 02:00:00:00:00:02",
                                                       "fd00:10:244:2:: 02:00:00:00:00:02"));
  for (const char* address : {"10.244.2.0", "fd00:10:244:2::"}) {
    put_neighbor_removal(batch, {vx0_, ip(address), {}, 0});
    run(batch);
    EXPECT_EQ(sh(std::string("ip neigh show ") + address + " dev vx0"), "");
    put_neighbor_removal(batch, {vx0_, ip(address), {}, 0});
    EXPECT_EQ(error_of(batch), ENOENT);
  }
}

TEST_F(NeighborTest, FdbEntriesOfBothFamilies) {
  sh("ip link add vx1 type vxlan id 2 local 2001:db8::1 dstport 8473 nolearning");
  const std::uint32_t vx1 = index_of("vx1");
  const MacAddress vtep = mac("02:00:00:00:00:05");
  Batch batch;
  put_fdb_entry(batch, {vx0_, vtep, ip("192.0.2.2"), 0, true});
  put_fdb_entry(batch, {vx0_, vtep, ip("192.0.2.3"), 0, true});  // moves, does not multiply
  put_fdb_entry(batch, {vx1, vtep, ip("2001:db8::2"), 0, true});
  run(batch);
  EXPECT_EQ(sh("bridge fdb show dev vx0"), "02:00:00:00:00:05 dst 192.0.2.3 self permanent\n");
  EXPECT_EQ(sh("bridge fdb show dev vx1"), "02:00:00:00:00:05 dst 2001:db8::2 self permanent\n");
  const auto entries = list_fdb(socket_, vx1);
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 1U);
  EXPECT_EQ(entries->front().mac, vtep);
  EXPECT_EQ(entries->front().remote, ip("2001:db8::2"));
  EXPECT_TRUE(entries->front().self);
  EXPECT_EQ(entries->front().state, NUD_PERMANENT);
  sh("bridge fdb append 02:00:00:00:00:05 dev vx0 dst 192.0.2.4 self permanent");
  put_fdb_removal(batch, {vx0_, vtep, {}, 0, true});
  run(batch);
  EXPECT_EQ(sh("bridge fdb show dev vx0"), "");
  put_fdb_removal(batch, {vx0_, vtep, {}, 0, true});
  EXPECT_EQ(error_of(batch), ENOENT);
}

}  // namespace
}  // namespace weft::netlink

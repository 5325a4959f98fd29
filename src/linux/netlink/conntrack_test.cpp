// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/conntrack.h"

#include <gmock/gmock.h>
#include <netinet/in.h>

#include "linux/netns_fixture.h"

namespace weft::netlink {
namespace {

class ConntrackTest : public NetnsFixture {
 protected:
  static Endpoint at(std::string_view address, std::uint16_t port) {
    return {IpAddress::parse(address).value(), port};
  }
  static void add(const std::string& protocol, const std::string& client, int port,
                  const std::string& destination, const std::string& backend) {
    sh("conntrack -I -p " + protocol + " -s " + client + " -d " + destination + " --sport " +
       std::to_string(port) + " --dport 53 -r " + backend + " -q " + client +
       " --reply-port-src 5353 --reply-port-dst " + std::to_string(port) + " -t 600 " +
       (protocol == "tcp" ? "--state ESTABLISHED" : ""));
  }
  static int left() { return std::stoi(sh("conntrack -L 2>/dev/null | wc -l")); }
  std::size_t remove(const ConntrackMatch& match) {
    const auto removed = delete_conntrack(socket_, match);
    EXPECT_TRUE(removed) << removed.error().message;
    return removed.value_or(0);
  }

  Socket socket_ = Socket::open(NETLINK_NETFILTER).value();
};

TEST_F(ConntrackTest, RemovesWhatMatchesAndNothingElse) {
  add("udp", "10.0.0.1", 1000, "10.96.0.10", "10.244.1.5");
  add("udp", "10.0.0.1", 1001, "10.96.0.10", "10.244.1.6");
  add("udp", "10.0.0.2", 1000, "10.96.0.11", "10.244.1.5");
  add("tcp", "10.0.0.1", 1000, "10.96.0.10", "10.244.1.5");
  ASSERT_EQ(left(), 4);
  EXPECT_EQ(remove({IPPROTO_UDP, at("10.96.0.99", 53), {}}), 0U);
  EXPECT_EQ(remove({IPPROTO_UDP, at("10.96.0.10", 54), {}}), 0U);
  EXPECT_EQ(remove({IPPROTO_UDP, at("10.96.0.10", 53), at("10.244.1.5", 53)}), 0U);
  EXPECT_EQ(remove({IPPROTO_UDP, at("10.96.0.10", 53), at("10.244.1.5", 5353)}), 1U);
  EXPECT_EQ(left(), 3);
  EXPECT_EQ(remove({IPPROTO_UDP, at("10.96.0.10", 53), {}}), 1U);
  EXPECT_EQ(left(), 2);
}

TEST_F(ConntrackTest, ManyMatchesOfBothFamilies) {
  add("udp", "10.0.0.1", 1000, "10.96.0.10", "10.244.1.5");
  add("udp", "10.0.0.1", 1001, "10.96.0.11", "10.244.1.6");
  add("udp", "10.0.0.1", 1002, "10.96.0.12", "10.244.1.7");
  add("udp", "fd00::1", 1000, "fd00:96::10", "fd00:244::5");
  add("udp", "fd00::1", 1001, "fd00:96::10", "fd00:244::6");
  const ConntrackMatch matches[] = {
      {IPPROTO_UDP, at("10.96.0.10", 53), {}},
      {IPPROTO_UDP, at("10.96.0.11", 53), at("10.244.1.6", 5353)},
      {IPPROTO_UDP, at("10.96.0.12", 53), at("10.244.1.99", 5353)},
      {IPPROTO_UDP, at("fd00:96::10", 53), at("fd00:244::6", 5353)},
  };
  const auto removed = delete_conntrack(socket_, matches);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(*removed, 3U);
  EXPECT_EQ(left(), 2);
  EXPECT_EQ(*delete_conntrack(socket_, matches), 0U);
}

TEST_F(ConntrackTest, AnEmptyTableHasNothingToRemove) {
  EXPECT_EQ(remove({IPPROTO_UDP, at("10.96.0.10", 53), {}}), 0U);
  EXPECT_EQ(remove({IPPROTO_UDP, at("fd00::10", 53), {}}), 0U);
}

}  // namespace
}  // namespace weft::netlink

// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/socket.h"

#include <gmock/gmock.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <csignal>
#include <set>

#include "linux/netns_fixture.h"

namespace weft::netlink {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

class SocketTest : public NetnsFixture {
 protected:
  static void add_dummy_veth(Batch& batch, const std::string& name) {
    Message message = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    message.header(ifinfomsg{}).text(IFLA_IFNAME, name);
    message.nest(IFLA_LINKINFO, [&] { message.text(IFLA_INFO_KIND, "veth"); });
  }
  static void add_route(Batch& batch, std::uint32_t destination, std::uint32_t link) {
    rtmsg header{};
    header.rtm_family = AF_INET;
    header.rtm_dst_len = 32;
    header.rtm_table = RT_TABLE_MAIN;
    header.rtm_type = RTN_UNICAST;
    header.rtm_scope = RT_SCOPE_LINK;
    batch.add(RTM_NEWROUTE, NLM_F_CREATE)
        .header(header)
        .be32(RTA_DST, destination)
        .u32(RTA_OIF, link);
  }
  std::set<std::string> links() {
    std::set<std::string> names;
    Batch request;
    request.add(RTM_GETLINK, 0).header(ifinfomsg{});
    const auto dumped = socket_.dump(
        request,
        [&](const MessageView& message) {
          for (const Attribute attribute : message.attributes<ifinfomsg>())
            if (attribute.type() == IFLA_IFNAME) names.emplace(attribute.text());
        },
        [&] { names.clear(); });
    EXPECT_TRUE(dumped) << dumped.error().message;
    return names;
  }

  Socket socket_ = Socket::open(NETLINK_ROUTE).value();
};

TEST_F(SocketTest, ExecutesARequestAndDumpsItsEffect) {
  Batch batch;
  add_dummy_veth(batch, "a1");
  ASSERT_TRUE(socket_.run(batch));
  EXPECT_THAT(links(), Contains("a1"));
  EXPECT_THAT(sh("ip -o link show a1"), HasSubstr("a1@"));
}

TEST_F(SocketTest, ErrorsNameTheRequestAndCarryTheKernelsWords) {
  Batch batch;
  add_dummy_veth(batch, "a1");
  add_dummy_veth(batch, "a1");
  Message bad = batch.add(RTM_NEWLINK, NLM_F_CREATE);
  bad.header(ifinfomsg{}).nest(IFLA_LINKINFO, [&] { bad.text(IFLA_INFO_KIND, "nonesuch"); });
  const auto refusals = socket_.execute(batch);
  ASSERT_TRUE(refusals);
  ASSERT_EQ(refusals->size(), 2U);
  EXPECT_EQ((*refusals)[0].index, 1U);
  EXPECT_EQ((*refusals)[0].error.code, EEXIST);
  EXPECT_THAT((*refusals)[0].error.message, StartsWith("RTM_NEWLINK: File exists"));
  EXPECT_EQ((*refusals)[1].index, 2U);
  EXPECT_THAT((*refusals)[1].error.message,
              "RTM_NEWLINK: Operation not supported (Unknown device type)");
  EXPECT_THAT(links(), Contains("a1"));
}

TEST_F(SocketTest, TheFirstRefusalIsRunsError) {
  Batch batch;
  add_route(batch, 0x0a000001, 999);
  const auto result = socket_.run(batch);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, StartsWith("RTM_NEWROUTE: No such device"));
  EXPECT_EQ(result.error().code, ENODEV);
}

TEST_F(SocketTest, GetAnswersOneOrRefuses) {
  Batch request;
  request.add(RTM_GETLINK, 0).header(ifinfomsg{}).text(IFLA_IFNAME, "lo");
  int answers = 0;
  ASSERT_TRUE(socket_.get(request, [&](const MessageView& message) {
    ++answers;
    EXPECT_EQ(message.body<ifinfomsg>().ifi_index, 1);
  }));
  EXPECT_EQ(answers, 1);
  Batch unknown;
  unknown.add(RTM_GETLINK, 0).header(ifinfomsg{}).text(IFLA_IFNAME, "nonesuch");
  const auto result = socket_.get(unknown, [](const MessageView&) {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ENODEV);
}

TEST_F(SocketTest, FiveThousandRequestsInOneExecute) {
  sh("ip link set lo up");
  Batch batch;
  for (std::uint32_t i = 0; i < 5'000; ++i) add_route(batch, 0x0b000000 + i, 1);
  add_route(batch, 0x0c000000, 999);
  for (std::uint32_t i = 5'000; i < 5'100; ++i) add_route(batch, 0x0b000000 + i, 1);
  const auto refusals = socket_.execute(batch);
  ASSERT_TRUE(refusals) << refusals.error().message;
  ASSERT_EQ(refusals->size(), 1U);
  EXPECT_EQ(refusals->front().index, 5'000U);
  EXPECT_EQ(sh("ip -4 route show table main dev lo | wc -l"), "5100\n");
}

TEST_F(SocketTest, ABadDumpIsAnErrorNotSilence) {
  Batch request;
  ifinfomsg header{};
  header.ifi_type = 1;  // strict checking refuses it
  request.add(RTM_GETLINK, 0).header(header);
  const auto result = socket_.dump(
      request, [](const MessageView&) {}, [] {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, StartsWith("RTM_GETLINK: Invalid argument ("));
}

TEST_F(SocketTest, BelongsToTheNamespaceItWasOpenedIn) {
  const Netns other = fresh_netns();
  Socket there = Socket::open(NETLINK_ROUTE, other).value();
  Batch batch;
  add_dummy_veth(batch, "there0");
  ASSERT_TRUE(there.run(batch));
  EXPECT_THAT(links(), testing::Not(Contains("there0")));
  const NetnsGuard inside = NetnsGuard::enter(other).value();
  sh("ip link show there0");
}

TEST_F(SocketTest, AStormOfSignalsInterruptsNothing) {
  struct sigaction quiet {};
  struct sigaction before {};
  quiet.sa_handler = [](int) {};  // without SA_RESTART: system calls end with EINTR
  ASSERT_EQ(sigaction(SIGALRM, &quiet, &before), 0);
  const itimerval storm{{0, 200}, {0, 200}};
  const itimerval calm{};
  sh("ip link set lo up");
  setitimer(ITIMER_REAL, &storm, nullptr);
  for (int round = 0; round < 20; ++round) {
    Batch batch;
    for (std::uint32_t i = 0; i < 200; ++i)
      add_route(batch, 0x0b000000 + static_cast<std::uint32_t>(round) * 256 + i, 1);
    const auto result = socket_.run(batch);
    EXPECT_TRUE(result) << result.error().message;
    EXPECT_THAT(links(), Contains("lo"));
  }
  setitimer(ITIMER_REAL, &calm, nullptr);
  sigaction(SIGALRM, &before, nullptr);
}

class CommitTest : public NetnsFixture {
 protected:
  static void frame(Batch& batch, std::uint16_t type) {
    batch.add(type, 0).header(
        nfgenmsg{AF_UNSPEC, NFNETLINK_V0, __builtin_bswap16(NFNL_SUBSYS_NFTABLES)});
  }
  static void table(Batch& batch, int operation, const std::string& name, std::uint16_t flags) {
    batch.add(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | operation), flags)
        .header(nfgenmsg{AF_INET, NFNETLINK_V0, 0})
        .text(NFTA_TABLE_NAME, name);
  }
  Socket socket_ = Socket::open(NETLINK_NETFILTER).value();
};

TEST_F(CommitTest, CommitsABatchWhole) {
  Batch batch;
  frame(batch, NFNL_MSG_BATCH_BEGIN);
  table(batch, NFT_MSG_NEWTABLE, "t1", NLM_F_CREATE);
  table(batch, NFT_MSG_NEWTABLE, "t2", NLM_F_CREATE | NLM_F_ACK);
  frame(batch, NFNL_MSG_BATCH_END);
  const auto refusals = socket_.commit(batch);
  ASSERT_TRUE(refusals) << refusals.error().message;
  EXPECT_TRUE(refusals->empty());
  EXPECT_THAT(sh("nft list tables"), AllOf(HasSubstr("t1"), HasSubstr("t2")));
}

TEST_F(CommitTest, RefusesItWholeAndSaysWhichAndWhy) {
  Batch batch;
  frame(batch, NFNL_MSG_BATCH_BEGIN);
  table(batch, NFT_MSG_NEWTABLE, "t1", NLM_F_CREATE);
  table(batch, NFT_MSG_DELTABLE, "t2", 0);
  table(batch, NFT_MSG_DELTABLE, "t3", 0);
  table(batch, NFT_MSG_NEWTABLE, "t4", NLM_F_CREATE | NLM_F_ACK);
  frame(batch, NFNL_MSG_BATCH_END);
  const auto refusals = socket_.commit(batch);
  ASSERT_TRUE(refusals) << refusals.error().message;
  ASSERT_EQ(refusals->size(), 2U);
  EXPECT_EQ((*refusals)[0].index, 2U);
  EXPECT_EQ((*refusals)[1].index, 3U);
  EXPECT_EQ((*refusals)[0].error.message, "NFT_MSG_DELTABLE: No such file or directory");
  EXPECT_EQ(sh("nft list tables"), "");
}

TEST_F(CommitTest, ABatchThatNobodyAnswersIsAnError) {
  Batch batch;
  frame(batch, NFNL_MSG_BATCH_BEGIN);
  table(batch, NFT_MSG_NEWTABLE, "t1", NLM_F_CREATE);
  frame(batch, NFNL_MSG_BATCH_END);
  EXPECT_FALSE(socket_.commit(batch));
}

TEST_F(CommitTest, ManyRefusalsDoNotHang) {
  Batch batch;
  frame(batch, NFNL_MSG_BATCH_BEGIN);
  for (int i = 0; i < 30'000; ++i) table(batch, NFT_MSG_DELTABLE, "t" + std::to_string(i), 0);
  table(batch, NFT_MSG_NEWTABLE, "t", NLM_F_CREATE | NLM_F_ACK);
  frame(batch, NFNL_MSG_BATCH_END);
  const auto refusals = socket_.commit(batch);
  ASSERT_TRUE(refusals) << refusals.error().message;
  EXPECT_GT(refusals->size(), 1'000U);
  Batch again;
  frame(again, NFNL_MSG_BATCH_BEGIN);
  table(again, NFT_MSG_NEWTABLE, "t", NLM_F_CREATE | NLM_F_ACK);
  frame(again, NFNL_MSG_BATCH_END);
  EXPECT_TRUE(socket_.commit(again)->empty());
}

class ListenerTest : public NetnsFixture {
 protected:
  static constexpr std::uint32_t kGroups[] = {RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE};
  Socket own_ = Socket::open(NETLINK_ROUTE).value();
  std::uint32_t own_port_ = own_.port_id();
  Listener listener_ = Listener::open(NETLINK_ROUTE, netns_, kGroups, {&own_port_, 1}).value();

  std::vector<std::uint16_t> received() {
    std::vector<std::uint16_t> types;
    const auto result =
        listener_.receive([&](const MessageView& message) { types.push_back(message.type()); });
    EXPECT_TRUE(result);
    return types;
  }
};

TEST_F(ListenerTest, HearsOthersAndNotOurselves) {
  EXPECT_TRUE(received().empty());
  sh("ip link set lo up; ip route add 10.1.0.0/16 dev lo");
  EXPECT_THAT(received(), Contains(RTM_NEWROUTE));
  Batch batch;
  rtmsg header{};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = 8;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_type = RTN_UNICAST;
  header.rtm_scope = RT_SCOPE_LINK;
  batch.add(RTM_NEWROUTE, NLM_F_CREATE).header(header).be32(RTA_DST, 0x0b000000).u32(RTA_OIF, 1);
  ASSERT_TRUE(own_.run(batch));
  EXPECT_TRUE(received().empty());
  sh("ip route del 11.0.0.0/8 dev lo");
  EXPECT_THAT(received(), testing::ElementsAre(RTM_DELROUTE));
}

TEST_F(ListenerTest, SaysThatNotificationsWereLost) {
  const int small = 1;
  setsockopt(listener_.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  sh("ip link set lo up; for i in 1 2 3 4 5 6 7 8 9; do ip route add 10.$i.0.0/16 dev lo; done");
  const auto result = listener_.receive([](const MessageView&) {});
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->lost);
  const auto again = listener_.receive([](const MessageView&) {});
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->lost);
}

}  // namespace
}  // namespace weft::netlink

// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <random>

#include "linux/netlink/address.h"
#include "linux/netlink/datagram.h"
#include "linux/netlink/extended_ack.h"
#include "linux/netlink/fdb.h"
#include "linux/netlink/link.h"
#include "linux/netlink/message_name.h"
#include "linux/netlink/neighbor.h"
#include "linux/netlink/route.h"
#include "linux/netlink/rule.h"

namespace weft::netlink {
namespace {

using testing::ElementsAre;

std::vector<std::uint8_t> vector_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

TEST(Batch, WritesHeaderAttributesAndPaddingAsTheKernelReadsThem) {
  Batch batch;
  Message message = batch.add(RTM_NEWLINK, NLM_F_CREATE);
  message.header(std::array<std::uint8_t, 4>{1, 2, 3, 4}).text(3, "ab").be16(4, 0x1234);
  EXPECT_THAT(vector_of(batch.bytes()),
              ElementsAre(36, 0, 0, 0, 16, 0, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0,  // nlmsghdr
                          1, 2, 3, 4,                                        // the family's header
                          7, 0, 3, 0, 'a', 'b', 0, 0,                        // text, padded
                          6, 0, 4, 0, 0x12, 0x34, 0, 0));                    // network order
}

TEST(Batch, NestsCoverTheirAttributesOnly) {
  Batch batch;
  Message message = batch.add(RTM_NEWLINK, 0);
  message.nest(18, [&] { message.u8(1, 7).nest(2, [&] { message.u32(3, 9); }); }).u8(4, 5);
  EXPECT_THAT(vector_of(batch.bytes().subspan(NLMSG_HDRLEN)),
              ElementsAre(24, 0, 18, 0x80, 5, 0, 1, 0, 7, 0, 0, 0,  // nest 18: u8
                          12, 0, 2, 0x80, 8, 0, 3, 0, 9, 0, 0, 0,   // nest 2: u32
                          5, 0, 4, 0, 5, 0, 0, 0));                 // beside it
}

TEST(Batch, KeepsMessagesApart) {
  Batch batch;
  batch.add(1, 0).u32(1, 1);
  batch.add(2, NLM_F_ACK).u32(1, 2).u32(1, 3);
  ASSERT_EQ(batch.count(), 2U);
  EXPECT_EQ(batch.header(0).nlmsg_len, 24U);
  EXPECT_EQ(batch.header(1).nlmsg_len, 32U);
  EXPECT_EQ(batch.header(1).nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
  EXPECT_EQ(batch.bytes(0, 1).size(), 24U);
  EXPECT_EQ(batch.bytes(1, 2).size(), 32U);
  EXPECT_EQ(batch.bytes(0, 2).size(), batch.size());
  batch.clear();
  EXPECT_TRUE(batch.empty());
}

TEST(Attributes, ReadsBackWhatWasWritten) {
  Batch batch;
  const auto v6 = IpAddress::parse("fd00::1").value();
  const MacAddress mac{{2, 0, 0, 0, 0, 9}};
  Message message = batch.add(1, 0);
  message.header(ifinfomsg{}).u64(1, 1ULL << 40).be64(2, 5).address(3, v6).mac(4, mac).flag(5);
  message.nest(6, [&] { message.text(1, "eth0"); });
  std::vector<std::uint16_t> types;
  for (const Attribute attribute : MessageView(batch.bytes()).attributes<ifinfomsg>()) {
    types.push_back(attribute.type());
    if (attribute.type() == 1) {
      EXPECT_EQ(attribute.u64(), 1ULL << 40);
    }
    if (attribute.type() == 2) {
      EXPECT_EQ(attribute.be64(), 5U);
    }
    if (attribute.type() == 3) {
      EXPECT_EQ(attribute.address(), v6);
    }
    if (attribute.type() == 4) {
      EXPECT_EQ(attribute.mac(), mac);
    }
    if (attribute.type() == 5) {
      EXPECT_TRUE(attribute.payload().empty());
    }
    if (attribute.type() == 6) {
      EXPECT_EQ((*nested(attribute).begin()).text(), "eth0");
    }
  }
  EXPECT_THAT(types, ElementsAre(1, 2, 3, 4, 5, 6));
}

int count(Bytes bytes) {
  int seen = 0;
  for ([[maybe_unused]] const Attribute attribute : Attributes(bytes)) ++seen;
  return seen;
}

TEST(Attributes, StopsAtTheFirstMalformedOne) {
  const std::vector<std::uint8_t> good{5, 0, 1, 0, 7, 0, 0, 0};
  const auto with = [&](std::vector<std::uint8_t> tail) {
    std::vector<std::uint8_t> all = good;
    all.insert(all.end(), tail.begin(), tail.end());
    return all;
  };
  EXPECT_EQ(count(good), 1);
  EXPECT_EQ(count(Bytes(good).first(5)), 1);   // padding may lack at the end
  EXPECT_EQ(count(Bytes(good).first(4)), 0);   // longer than what is there
  EXPECT_EQ(count(with({0, 0, 1, 0})), 1);     // a length of zero would never end
  EXPECT_EQ(count(with({3, 0, 1, 0})), 1);     // shorter than its header
  EXPECT_EQ(count(with({9, 0, 1, 0, 1})), 1);  // runs past the end
  EXPECT_EQ(count(with({4, 0})), 1);           // half a header
  EXPECT_EQ(count(with({4, 0, 1, 0})), 2);     // empty is well-formed
}

TEST(Attribute, ShortPayloadsReadAsZeroes) {
  const std::vector<std::uint8_t> byte{0xff};
  const Attribute attribute(1, byte);
  EXPECT_EQ(attribute.u32(), 0xffU);
  EXPECT_EQ(attribute.u64(), 0xffU);
  EXPECT_EQ(attribute.address(), IpAddress());
  EXPECT_EQ(Attribute(1, {}).text(), "");
  EXPECT_EQ(Attribute(1, byte).text(), "\xff");
}

// Whatever bytes come, nothing reads outside them (the sanitizers watch) and every loop ends.
TEST(Parsers, SurviveRandomBytes) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::uint8_t> bytes(random() % 96);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() % 40);
    std::size_t sum = 0;
    split_messages(bytes, [&](const MessageView& message) {
      for (const Attribute attribute : message.attributes<ifinfomsg>())
        for (const Attribute inner : nested(attribute)) sum += inner.text().size() + inner.u64();
      sum += verdict_of(message).text.size() + verdict_of_dump(message).text.size();
    });
    EXPECT_GE(sum, 0U);
  }
}

// The same for the typed parsers: well-formed attributes of random types and lengths, nested at
// will.
void put_random(Message& message, std::mt19937& random, int depth) {
  for (auto i = random() % 6; i > 0; --i) {
    const auto type = static_cast<std::uint16_t>(random() % 64);
    if (depth > 0 && random() % 2 == 0) {
      message.nest(type, [&] { put_random(message, random, depth - 1); });
      continue;
    }
    std::vector<std::uint8_t> payload(random() % 20);
    for (std::uint8_t& byte : payload) byte = static_cast<std::uint8_t>(random());
    message.attribute(type, payload);
  }
}

TEST(Parsers, TypedOnesSurviveRandomAttributes) {
  std::mt19937 random(2);
  for (int round = 0; round < 5'000; ++round) {
    Batch batch;
    Message message = batch.add(RTM_NEWLINK, 0);
    std::vector<std::uint8_t> header(random() % 20);
    for (std::uint8_t& byte : header) byte = static_cast<std::uint8_t>(random());
    message.append(header);
    put_random(message, random, 3);
    // Copied to its exact size, so that a read past the end is one past the allocation.
    const std::vector<std::uint8_t> bytes = vector_of(batch.bytes());
    const MessageView view{bytes};
    (void)parse_link(view);
    (void)parse_address(view);
    (void)parse_neighbor(view);
    (void)parse_fdb_entry(view);
    (void)parse_route(view);
    (void)parse_rule(view);
  }
}

std::string error_text(const std::vector<std::uint8_t>& tlvs, std::uint16_t flags) {
  Batch batch;
  nlmsgerr error{};
  error.error = -EEXIST;
  error.msg.nlmsg_len = NLMSG_HDRLEN + 4;
  Message message = batch.add(NLMSG_ERROR, flags);
  message.header(error);
  if ((flags & NLM_F_CAPPED) == 0) message.append(std::array<std::uint8_t, 4>{});
  message.append(tlvs);
  return to_error(NETLINK_ROUTE, RTM_NEWLINK, verdict_of(MessageView(batch.bytes()))).message;
}

TEST(ExtendedAck, FindsTheKernelsWords) {
  const std::vector<std::uint8_t> words{7, 0, NLMSGERR_ATTR_MSG, 0, 'n', 'o', 0, 0};
  EXPECT_EQ(error_text(words, NLM_F_ACK_TLVS | NLM_F_CAPPED), "RTM_NEWLINK: File exists (no)");
  EXPECT_EQ(error_text(words, NLM_F_ACK_TLVS), "RTM_NEWLINK: File exists (no)");
  EXPECT_EQ(error_text(words, NLM_F_CAPPED), "RTM_NEWLINK: File exists");
  EXPECT_EQ(
      error_text({8, 0, NLMSGERR_ATTR_MISS_TYPE, 0, 7, 0, 0, 0}, NLM_F_ACK_TLVS | NLM_F_CAPPED),
      "RTM_NEWLINK: File exists (attribute 7 is missing)");
}

TEST(MessageName, NamesTypesByProtocol) {
  EXPECT_EQ(message_name(NETLINK_ROUTE, RTM_NEWROUTE), "RTM_NEWROUTE");
  EXPECT_EQ(message_name(NETLINK_NETFILTER, 0x0a0c), "NFT_MSG_NEWSETELEM");
  EXPECT_EQ(message_name(NETLINK_ROUTE, 999), "message type 999");
}

}  // namespace
}  // namespace weft::netlink

// SPDX-License-Identifier: Apache-2.0
#include "linux/netlink/rule.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "linux/netlink/rtnetlink_fixture.h"

namespace weft::netlink {
namespace {

using testing::Contains;
using testing::HasSubstr;

class RuleTest : public RtnetlinkFixture {};

TEST_F(RuleTest, AddsReadsAndRemovesBothFamilies) {
  for (const auto& [family, source, destination, flag] :
       {std::tuple{IpFamily::kIpv4, "10.1.0.0/16", "10.2.0.0/16", "-4"},
        std::tuple{IpFamily::kIpv6, "fd00:1::/64", "fd00:2::/64", "-6"}}) {
    Rule full;
    full.selector.family = family;
    full.selector.priority = 100;
    full.selector.source = prefix(source);
    full.selector.destination = prefix(destination);
    full.selector.mark = 0x10;
    full.selector.mask = 0xf0;
    full.selector.in_link = "lo";
    full.selector.invert = true;
    full.table = 1000;
    full.protocol = 87;
    Rule small;
    small.selector.family = family;
    small.selector.priority = 200;
    small.table = 77;
    small.protocol = 87;
    Batch batch;
    put_rule(batch, full);
    put_rule(batch, small);
    run(batch);
    EXPECT_THAT(
        sh(std::string("ip ") + flag + " rule"),
        testing::AllOf(HasSubstr(std::string("100:\tnot from ") + source + " to " + destination +
                                 " fwmark 0x10/0xf0 iif lo lookup 1000 proto 87"),
                       HasSubstr("200:\tfrom all lookup 77 proto 87")));
    const auto rules = list_rules(socket_, family);
    ASSERT_TRUE(rules) << rules.error().message;
    EXPECT_THAT(*rules, testing::AllOf(Contains(full), Contains(small)));
    const std::size_t before = rules->size();
    put_rule(batch, small);
    EXPECT_EQ(error_of(batch), EEXIST);
    put_rule_removal(batch, full);
    put_rule_removal(batch, small);
    run(batch);
    EXPECT_EQ(list_rules(socket_, family)->size(), before - 2);
    put_rule_removal(batch, small);
    EXPECT_EQ(error_of(batch), ENOENT);
  }
}

}  // namespace
}  // namespace weft::netlink

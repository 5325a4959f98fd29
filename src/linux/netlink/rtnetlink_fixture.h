// SPDX-License-Identifier: Apache-2.0
// For tests: a private namespace with a rtnetlink socket in it and lo up.
#pragma once

#include <linux/netlink.h>

#include "linux/netlink/link.h"
#include "linux/netlink/socket.h"
#include "linux/netns_fixture.h"

namespace weft::netlink {

class RtnetlinkFixture : public NetnsFixture {
 protected:
  RtnetlinkFixture() {
    Batch batch;
    Link lo;
    lo.index = 1;
    lo.up = true;
    put_link_change(batch, lo);
    run(batch);
  }

  // Every request must succeed.
  void run(Batch& batch) {
    const auto result = socket_.run(batch);
    EXPECT_TRUE(result) << result.error().message;
    batch.clear();
  }
  // The error number of the batch's only request; 0 = success.
  int error_of(Batch& batch) {
    const auto result = socket_.run(batch);
    batch.clear();
    return result ? 0 : result.error().code;
  }
  Link link_named(const std::string& name) {
    const auto link = find_link(socket_, name);
    EXPECT_TRUE(link && *link) << name;
    return link && *link ? **link : Link{};
  }
  std::uint32_t index_of(const std::string& name) { return link_named(name).index; }

  static IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
  static Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }
  static MacAddress mac(std::string_view text) { return MacAddress::parse(text).value(); }

  Socket socket_ = Socket::open(NETLINK_ROUTE).value();
};

}  // namespace weft::netlink

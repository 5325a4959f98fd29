// SPDX-License-Identifier: Apache-2.0
#include "agent/stale_flows.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <malloc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "linux/netns_fixture.h"
#include "tables/nft_driver.h"

namespace weft::agent {
namespace {

using model::Frontend;
using model::FrontendEntry;
using model::ServiceTable;

Frontend frontend(const char* address) {
  return {*IpAddress::parse(address), model::Protocol::kUdp, 53};
}

FrontendEntry entry(const std::vector<const char*>& backends) {
  FrontendEntry made;
  for (const char* backend : backends) made.backends.push_back({*IpAddress::parse(backend), 53});
  return made;
}

// What a restarted agent finds in the kernel stands for what the one before it had planned.
TEST(ChangesBetween, AreTheFrontendsThatGoComeOrHaveOtherBackends) {
  ServiceTable before, now;
  before.frontends[frontend("10.96.0.1")] = entry({"10.244.1.2"});
  before.frontends[frontend("10.96.0.2")] = entry({"10.244.1.2", "10.244.1.3"});
  before.frontends[frontend("10.96.0.3")] = entry({"10.244.1.2"});
  now.frontends[frontend("10.96.0.1")] = entry({"10.244.1.2"});
  now.frontends[frontend("10.96.0.2")] = entry({"10.244.1.3"});
  now.frontends[frontend("10.96.0.4")] = entry({"10.244.1.9"});

  const auto changes = changes_between(before, now);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].frontend, frontend("10.96.0.2"));
  EXPECT_EQ(changes[0].current, entry({"10.244.1.3"}));
  EXPECT_EQ(changes[1].frontend, frontend("10.96.0.3"));
  EXPECT_FALSE(changes[1].current);
  EXPECT_EQ(changes[2].frontend, frontend("10.96.0.4"));
  EXPECT_FALSE(changes[2].previous);
}

struct FakeClock final : Clock {
  TimePoint time{};
  TimePoint now() const override { return time; }
};

// Of this thread, while the object lives: the kernel refuses it everything of netfilter.
class WithoutNetAdmin {
 public:
  WithoutNetAdmin() {
    ::syscall(SYS_capget, &header_, had_.data());
    auto less = had_;
    less[0].effective &= ~(1U << CAP_NET_ADMIN);
    ::syscall(SYS_capset, &header_, less.data());
  }
  ~WithoutNetAdmin() { ::syscall(SYS_capset, &header_, had_.data()); }

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> had_{};
};

class StaleFlowsTest : public NetnsFixture {
 protected:
  StaleFlowsTest() {
    tables_.add<tables::NftKind>(std::make_unique<tables::NftDriver>(socket()), {});
    tables_.start();
    tables_.run();
  }
  static netlink::Socket socket() { return netlink::Socket::open(NETLINK_NETFILTER).value(); }
  // A client's flow to the frontend 10.96.0.1 that `backend` answers.
  static void track(const std::string& client, const std::string& backend) {
    sh("conntrack -I -p udp -t 600 -s " + client + " -d 10.96.0.1 --sport 4001 --dport 53 -r " +
       backend + " -q " + client + " --reply-port-src 53 --reply-port-dst 4001");
  }
  static bool tracked(const std::string& backend = "10.244.1.2") {
    return sh("conntrack -L -p udp 2>/dev/null").find("src=" + backend + " ") != std::string::npos;
  }
  void change(const FrontendEntry& previous, const FrontendEntry& current) {
    flows_.note(std::array{model::FrontendChange{frontend("10.96.0.1"), previous, current}});
  }
  static std::size_t heap_bytes() {
    const struct mallinfo2 now = ::mallinfo2();
    return now.uordblks + now.hblkhd;
  }
  // `count` backends from 10.244.x.0 on, x being `first`.
  static FrontendEntry many(std::uint32_t first, std::uint32_t count) {
    FrontendEntry made;
    const IpAddress base = IpAddress::parse("10.244.0.0").value();
    for (std::uint32_t i = 0; i < count; ++i)
      made.backends.push_back({base.plus(first * 256 + i), 53});
    return made;
  }

  FakeClock clock_{};
  reconcile::Reconciler tables_{clock_, {}, {}};
  StaleFlows flows_{socket(), clock_};
};

TEST_F(StaleFlowsTest, AreRemovedLaterWhereTheyCannotBeNow) {
  track("10.244.1.9", "10.244.1.2");
  const model::FrontendChange gone{frontend("10.96.0.1"), entry({"10.244.1.2"}), std::nullopt};
  flows_.note(std::array{gone});
  {
    const WithoutNetAdmin refused;
    flows_.remove_written(tables_);
  }
  ASSERT_TRUE(tracked());
  const auto later = flows_.deadline();
  ASSERT_TRUE(later);
  EXPECT_GT(*later, clock_.time);
  flows_.remove_written(tables_);
  EXPECT_TRUE(tracked());  // not at every pass
  clock_.time = *later;
  tables_.mark(tables::NftKind::kName);
  flows_.remove_written(tables_);
  EXPECT_TRUE(tracked());  // not before it is certain what is written
  EXPECT_FALSE(flows_.deadline());
  tables_.run();
  flows_.remove_written(tables_);
  EXPECT_FALSE(tracked());
  EXPECT_FALSE(flows_.deadline());
}

TEST_F(StaleFlowsTest, ChangesThatRepeatWhileNothingCanBeWrittenTakeNoMoreMemory) {
  const FrontendEntry one = many(0, 1), thousand = many(0, 1000);
  const auto flip = [&] {
    change(one, thousand);
    change(thousand, one);
  };
  flip();
  const std::size_t before = heap_bytes();
  for (int i = 0; i < 150; ++i) flip();
  EXPECT_LT(heap_bytes(), before + 100'000);

  track("10.244.255.1", "10.244.0.0");  // one that is there all the time
  track("10.244.255.2", "10.244.1.2");
  flows_.remove_written(tables_);
  EXPECT_TRUE(tracked("10.244.0.0"));
  EXPECT_FALSE(tracked());
}

TEST_F(StaleFlowsTest, ABackendThatIsBackKeepsItsFlows) {
  track("10.244.1.9", "10.244.1.2");
  track("10.244.1.8", "10.244.1.3");
  change(entry({"10.244.1.2", "10.244.1.3"}), {});
  change({}, entry({"10.244.1.2"}));
  flows_.remove_written(tables_);
  EXPECT_TRUE(tracked());
  EXPECT_FALSE(tracked("10.244.1.3"));
}

TEST_F(StaleFlowsTest, PastAnyUsualNumberAllFlowsOfTheFrontendGo) {
  const std::size_t before = heap_bytes();
  for (std::uint32_t x = 0; x < 2000; ++x) change(many(x, 256), many(x + 1, 256));
  EXPECT_LT(heap_bytes(), before + 20'000'000);
  track("10.244.255.1", "10.244.1.2");
  flows_.remove_written(tables_);
  EXPECT_FALSE(tracked());
}

}  // namespace
}  // namespace weft::agent

// SPDX-License-Identifier: Apache-2.0
#include "agent/stale_flows.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/netfilter.h>
#include <malloc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "base/fake_clock.h"
#include "linux/netns_fixture.h"
#include "tables/names.h"
#include "tables/nft_driver.h"

namespace weft::agent {
namespace {

using model::ServiceTable;

constexpr const char* kFrontend = "10.96.0.1";

// The addresses of the frontend's backends; nothing: there is no frontend.
using Addresses = std::optional<std::vector<IpAddress>>;

Addresses entry(const std::vector<const char*>& backends) {
  Addresses made(std::in_place);
  for (const char* backend : backends) made->push_back(*IpAddress::parse(backend));
  return made;
}

ServiceTable table_of(const Addresses& addresses) {
  ServiceTable table;
  if (!addresses) return table;
  model::Served served;
  for (const IpAddress& address : *addresses) served.backends.push_back({address, 53, false});
  add_with_own_pool(table, {*IpAddress::parse(kFrontend), model::Protocol::kUdp, 53}, served);
  return table;
}

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
    reconciler_.add<tables::NftKind>(
        std::make_shared<tables::NftDriver>(socket(), std::string(tables::kServicesTable)), {});
    reconciler_.start();
    reconciler_.run();
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
  void change(const Addresses& previous, const Addresses& current) {
    const ServiceTable now = table_of(current);
    flows_.note(service::udp_flows(now, model::difference(table_of(previous), now)));
  }
  void remove_written() {
    flows_.wait_for(std::make_shared<const reconcile::Ticket>());
    flows_.remove_written(reconciler_);
  }
  static std::size_t heap_bytes() {
    const struct mallinfo2 now = ::mallinfo2();
    return now.uordblks + now.hblkhd;
  }
  // `count` backends from 10.244.x.0 on, x being `first`.
  static Addresses many(std::uint32_t first, std::uint32_t count) {
    Addresses made(std::in_place);
    const IpAddress base = IpAddress::parse("10.244.0.0").value();
    for (std::uint32_t i = 0; i < count; ++i) made->push_back(base.plus(first * 256 + i));
    return made;
  }

  FakeClock clock_{};
  reconcile::Reconciler reconciler_{clock_, {}, {}};
  StaleFlows flows_{socket(), clock_};
};

TEST_F(StaleFlowsTest, AreRemovedLaterWhereTheyCannotBeNow) {
  track("10.244.1.9", "10.244.1.2");
  change(entry({"10.244.1.2"}), std::nullopt);
  {
    const WithoutNetAdmin refused;
    remove_written();
  }
  ASSERT_TRUE(tracked());
  const auto later = flows_.deadline();
  ASSERT_TRUE(later);
  EXPECT_GT(*later, clock_.time);
  remove_written();
  EXPECT_TRUE(tracked());  // not at every pass
  clock_.time = *later;
  remove_written();
  EXPECT_FALSE(tracked());
  EXPECT_FALSE(flows_.deadline());
}

TEST_F(StaleFlowsTest, GoOnceTheirOwnChangeIsWritten) {
  track("10.244.1.9", "10.244.1.2");
  track("10.244.1.8", "10.244.1.3");
  const tables::NftKind::Key table{
      tables::intern({NFPROTO_IPV4, tables::NftType::kTable, "weft-services", ""}), {}};
  const tables::NftKind::Key orphan{
      tables::intern({NFPROTO_IPV4, tables::NftType::kSet, "weft-services", "no such set"}),
      tables::NftBytes(Bytes(std::array<std::uint8_t, 4>{1, 2, 3, 4}))};
  // A change that cannot be written: an element whose set is in no plan.
  flows_.note(
      service::udp_flows(table_of(entry({})),
                         model::difference(table_of(entry({"10.244.1.2"})), table_of(entry({})))));
  const auto refused = std::make_shared<const reconcile::Ticket>(reconciler_.ticket());
  reconciler_.merge<tables::NftKind>("services", {{orphan, tables::NftKind::Value{}}}, *refused);
  flows_.wait_for(refused);
  reconciler_.run();
  flows_.remove_written(reconciler_);
  EXPECT_TRUE(tracked());
  reconciler_.merge<tables::NftKind>("services", {{orphan, std::nullopt}});
  reconcile::Ticket good = reconciler_.ticket();
  reconciler_.merge<tables::NftKind>("services", {{table, tables::NftKind::Value{}}}, good);
  reconciler_.run();
  flows_.remove_written(reconciler_);
  EXPECT_FALSE(tracked()) << "there is nothing left to wait for";
}

TEST_F(StaleFlowsTest, ChangesThatRepeatWhileNothingCanBeWrittenTakeNoMoreMemory) {
  const Addresses one = many(0, 1), thousand = many(0, 1000);
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
  remove_written();
  EXPECT_TRUE(tracked("10.244.0.0"));
  EXPECT_FALSE(tracked());
}

TEST_F(StaleFlowsTest, ABackendThatIsBackKeepsItsFlows) {
  track("10.244.1.9", "10.244.1.2");
  track("10.244.1.8", "10.244.1.3");
  change(entry({"10.244.1.2", "10.244.1.3"}), entry({}));
  change(entry({}), entry({"10.244.1.2"}));
  remove_written();
  EXPECT_TRUE(tracked());
  EXPECT_FALSE(tracked("10.244.1.3"));
}

TEST_F(StaleFlowsTest, PastAnyUsualNumberAllFlowsOfTheFrontendGo) {
  const std::size_t before = heap_bytes();
  for (std::uint32_t x = 0; x < 2000; ++x) change(many(x, 256), many(x + 1, 256));
  EXPECT_LT(heap_bytes(), before + 20'000'000);
  track("10.244.255.1", "10.244.1.2");
  remove_written();
  EXPECT_FALSE(tracked());
}

}  // namespace
}  // namespace weft::agent

// SPDX-License-Identifier: Apache-2.0
#include "tables/sysctl_driver.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/temporary_directory.h"
#include "linux/router_fixture.h"
#include "tables/driver_fixture.h"

namespace weft::tables {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kForward = "net/ipv4/ip_forward";
constexpr const char* kForward6 = "net/ipv6/conf/all/forwarding";

class SysctlDriverTest : public DriverFixture {
 protected:
  SysctlDriverTest() {
    sh("echo 0 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding");
  }

  SysctlDriver driver(const char* boot = "this boot") const {
    return {Netns::current().value(), state_.string(), boot, {"cni0", "weft.1"}};
  }
  static std::string value(const std::string& key) { return sh("cat /proc/sys/" + key); }
  static std::string forwarding() {
    return sh(
        "cd /proc/sys/net; grep -r . ipv4/ip_forward ipv4/conf/*/forwarding"
        " ipv6/conf/*/forwarding ipv4/conf/*/accept_redirects ipv6/conf/*/accept_redirects");
  }
  // Of every link, "eth0 2, lo 1".
  static std::string accept_ra() {
    std::string all =
        sh("cd /proc/sys/net/ipv6/conf; for link in $(ls | grep -v -e all -e default);"
           " do echo -n \", $link $(cat $link/accept_ra)\"; done");
    return all.erase(0, 2);
  }
  std::size_t saved() const {
    std::size_t count = 0;
    if (!std::filesystem::exists(state_ / "sysctl")) return 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(state_ / "sysctl"))
      ++count;
    return count;
  }

  const TemporaryDirectory temporary_{};
  const std::filesystem::path state_ = temporary_.path();
};

TEST_F(SysctlDriverTest, SetsAndPutsBackWhatWas) {
  SysctlDriver sysctls = driver();
  const SysctlKind::Table desired{{kForward, "1"}, {kForward6, "1"}};
  EXPECT_THAT(drift(sysctls, desired), ElementsAre("missing net/ipv4/ip_forward:  -> 1",
                                                   "missing net/ipv6/conf/all/forwarding:  -> 1"));
  EXPECT_THAT(repair(sysctls, desired), IsEmpty());
  EXPECT_EQ(value(kForward), "1\n");
  EXPECT_EQ(value(kForward6), "1\n");
  SysctlDriver after_restart = driver();
  EXPECT_THAT(drift(after_restart, desired), IsEmpty());
  EXPECT_THAT(repair(after_restart, {}), IsEmpty());
  EXPECT_EQ(value(kForward), "0\n");
  EXPECT_EQ(value(kForward6), "0\n");
  EXPECT_EQ(saved(), 0U);
}

TEST_F(SysctlDriverTest, WhatAlreadyIsSoIsOursAllTheSame) {
  sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
  SysctlDriver sysctls = driver();
  EXPECT_THAT(repair(sysctls, {{kForward, "1"}}), IsEmpty());
  sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
  EXPECT_THAT(drift(sysctls, {{kForward, "1"}}),
              ElementsAre("different net/ipv4/ip_forward: 0 -> 1"));
  EXPECT_THAT(repair(sysctls, {{kForward, "1"}}), IsEmpty());
  EXPECT_THAT(repair(sysctls, {}), IsEmpty());
  EXPECT_EQ(value(kForward), "1\n");
}

TEST_F(SysctlDriverTest, AnothersValueIsNotTouchedOnTheWayOut) {
  SysctlDriver sysctls = driver();
  const char* key = "net/ipv4/ip_default_ttl";
  ASSERT_THAT(repair(sysctls, {{key, "70"}}), IsEmpty());
  ASSERT_THAT(repair(sysctls, {{key, "71"}}), IsEmpty());
  sh("echo 99 > /proc/sys/net/ipv4/ip_default_ttl");
  EXPECT_THAT(repair(sysctls, {}), IsEmpty());
  EXPECT_EQ(value(key), "99\n");
  EXPECT_EQ(saved(), 0U);
  ASSERT_THAT(repair(sysctls, {{key, "70"}}), IsEmpty());
  ASSERT_THAT(repair(sysctls, {{key, "71"}}), IsEmpty());
  EXPECT_THAT(repair(sysctls, {}), IsEmpty());
  EXPECT_EQ(value(key), "99\n");
}

TEST_F(SysctlDriverTest, FieldsCompareWhateverStandsBetween) {
  SysctlDriver sysctls = driver();
  EXPECT_THAT(repair(sysctls, {{"net/ipv4/ip_local_port_range", "20000 30000"}}), IsEmpty());
  EXPECT_EQ(value("net/ipv4/ip_local_port_range"), "20000\t30000\n");
  EXPECT_THAT(repair(sysctls, {}), IsEmpty());
  EXPECT_EQ(value("net/ipv4/ip_local_port_range"), "32768\t60999\n");
}

TEST_F(SysctlDriverTest, WhatTheKernelLacksNamesItsModule) {
  SysctlDriver sysctls = driver();
  EXPECT_THAT(add<SysctlKind>(sysctls, {{"net/bridge/nonesuch", "1"}}),
              ElementsAre("net/bridge/nonesuch: the kernel has no such sysctl (module br_netfilter "
                          "is not loaded)"));
  EXPECT_THAT(
      add<SysctlKind>(sysctls, {{kForward, "x"}}),
      ElementsAre(HasSubstr("write 'x' to /proc/sys/net/ipv4/ip_forward: Invalid argument")));
  EXPECT_EQ(value(kForward), "0\n");
}

TEST_F(SysctlDriverTest, ASysctlOfALinkThatIsNotThereNamesTheLink) {
  SysctlDriver sysctls = driver();
  EXPECT_THAT(add<SysctlKind>(sysctls, {{"net/ipv6/conf/weft.1/accept_ra", "0"}}),
              ElementsAre("net/ipv6/conf/weft.1/accept_ra: there is no link weft.1"));
}

TEST_F(SysctlDriverTest, ASysctlWhoseLinkWentIsForgotten) {
  sh("ip link add v0 type veth peer name v1");
  SysctlDriver sysctls = driver();
  const SysctlKind::Table desired{{"net/ipv4/conf/v0/rp_filter", "2"}};
  ASSERT_THAT(repair(sysctls, desired), IsEmpty());
  sh("ip link del v0");
  EXPECT_THAT(drift(sysctls, desired), ElementsAre("different net/ipv4/conf/v0/rp_filter:  -> 2"));
  EXPECT_THAT(repair(sysctls, {}), IsEmpty());
  EXPECT_EQ(saved(), 0U);
}

TEST_F(SysctlDriverTest, WhatForwardingChangesAlongIsPutBack) {
  sh("ip link add eth0 type veth peer name far; cd /proc/sys/net; echo 1 > "
     "ipv4/conf/eth0/forwarding;"
     "echo 0 > ipv4/conf/all/accept_redirects; echo 1 > ipv6/conf/eth0/forwarding;"
     "echo 1 > ipv4/conf/default/forwarding; echo 1 > ipv6/conf/default/forwarding");
  const std::string before = forwarding();
  {
    SysctlDriver sysctls = driver();
    EXPECT_THAT(repair(sysctls, {{kForward, "1"}, {kForward6, "1"}}), IsEmpty());
  }
  EXPECT_EQ(value("net/ipv4/conf/all/accept_redirects"), "0\n");
  EXPECT_EQ(value("net/ipv4/conf/far/forwarding"), "1\n");
  SysctlDriver after_restart = driver();
  EXPECT_THAT(repair(after_restart, {}), IsEmpty());
  EXPECT_EQ(forwarding(), before);
  EXPECT_EQ(saved(), 0U);
}

TEST_F(SysctlDriverTest, WhatAnotherSetMeanwhileIsNotPutBack) {
  sh("ip link add eth0 type veth peer name far; cd /proc/sys/net; echo 1 > "
     "ipv4/conf/eth0/forwarding;"
     "echo 0 > ipv4/conf/all/accept_redirects; echo 1 > ipv4/conf/far/forwarding");
  SysctlDriver sysctls = driver();
  EXPECT_THAT(repair(sysctls, {{kForward, "1"}}), IsEmpty());
  sh("cd /proc/sys/net/ipv4/conf; echo 1 > all/accept_redirects; echo 0 > far/forwarding");
  EXPECT_THAT(repair(sysctls, {}), IsEmpty());
  EXPECT_EQ(value("net/ipv4/conf/all/accept_redirects"), "1\n");
  EXPECT_EQ(value("net/ipv4/conf/far/forwarding"), "0\n");
  EXPECT_EQ(value("net/ipv4/conf/eth0/forwarding"), "1\n");
}

// Forwarding is off again, be it by an uninstall that was cut short.
TEST_F(SysctlDriverTest, WhatForwardingChangedIsPutBackWhereverAnUninstallWasCutShort) {
  sh("echo 0 > /proc/sys/net/ipv4/conf/all/accept_redirects");
  {
    SysctlDriver sysctls = driver();
    EXPECT_THAT(repair(sysctls, {{kForward, "1"}}), IsEmpty());
  }
  sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
  SysctlDriver sysctls = driver();
  EXPECT_THAT(repair(sysctls, {}), IsEmpty());
  EXPECT_EQ(value("net/ipv4/conf/all/accept_redirects"), "0\n");
}

TEST_F(SysctlDriverTest, LinksThatHeedRouterAdvertisementsGoOnDoingSo) {
  const AdvertisingRouter uplink("eth0"), second("eth1");
  sh("ip link add eth2 type veth peer name far2; ip link add cni0 type bridge;"
     "cd /proc/sys/net/ipv6/conf; echo 0 > eth2/accept_ra; echo 2 > far2/accept_ra");
  ASSERT_TRUE(uplink.is_heeded());
  ASSERT_TRUE(second.is_heeded());
  const SysctlKind::Table desired{{kForward6, "1"}};
  {
    SysctlDriver sysctls = driver();
    EXPECT_THAT(repair(sysctls, desired), IsEmpty());
  }
  EXPECT_TRUE(uplink.is_default_route());
  EXPECT_TRUE(second.is_default_route());
  EXPECT_EQ(accept_ra(), "cni0 1, eth0 2, eth1 2, eth2 0, far2 2, lo 1");
  sh("ip -6 route flush proto ra");
  EXPECT_TRUE(uplink.is_heeded());

  SysctlDriver after_restart = driver();
  EXPECT_THAT(repair(after_restart, {}), IsEmpty());
  EXPECT_EQ(accept_ra(), "cni0 1, eth0 1, eth1 1, eth2 0, far2 2, lo 1");
  EXPECT_TRUE(uplink.is_default_route());
  EXPECT_EQ(saved(), 0U);
}

TEST_F(SysctlDriverTest, ALinkThatNoLongerHeedsRouterAdvertisementsIsDrift) {
  const AdvertisingRouter uplink("eth0");
  const SysctlKind::Table desired{{kForward6, "1"}};
  SysctlDriver sysctls = driver();
  ASSERT_THAT(repair(sysctls, desired), IsEmpty());
  sh("echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_ra");  // as ifup does
  EXPECT_THAT(drift(sysctls, desired),
              ElementsAre("different net/ipv6/conf/all/forwarding: 1 "
                          "(net/ipv6/conf/eth0/accept_ra is 1, not 2) -> 1"));
  EXPECT_THAT(repair(sysctls, desired), IsEmpty());
  EXPECT_TRUE(uplink.is_heeded());
  // Who heeds none, or has gone, is left alone.
  sh("echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_ra");
  EXPECT_THAT(drift(sysctls, desired), IsEmpty());
  sh("ip link del eth0");
  EXPECT_THAT(drift(sysctls, desired), IsEmpty());
  const AdvertisingRouter made_anew("eth0");
  EXPECT_EQ(drift(sysctls, desired).size(), 1U);
  EXPECT_THAT(repair(sysctls, desired), IsEmpty());
  EXPECT_TRUE(made_anew.is_heeded());
  EXPECT_THAT(repair(sysctls, {}), IsEmpty());
  EXPECT_EQ(saved(), 0U);
}

// A pod's link that is there when forwarding is mended must not become one that heeds.
TEST_F(SysctlDriverTest, LinksThatCameLaterAreNotMadeToHeedRouterAdvertisements) {
  SysctlDriver sysctls = driver();
  ASSERT_THAT(repair(sysctls, {{kForward6, "1"}}), IsEmpty());
  sh("ip link add veth1 type veth peer name veth2; echo 0 > /proc/sys/" + std::string(kForward6));
  EXPECT_THAT(repair(sysctls, {{kForward6, "1"}}), IsEmpty());
  EXPECT_EQ(accept_ra(), "lo 1, veth1 1, veth2 1");
}

TEST_F(SysctlDriverTest, ASpoiltFileIsAnErrorThatNamesIt) {
  std::filesystem::create_directories(state_ / "sysctl");
  std::ofstream(state_ / "sysctl" / "net:ipv4:ip_forward") << "1\n";
  SysctlDriver sysctls = driver();
  EXPECT_THAT(remove<SysctlKind>(sysctls, {{kForward, "0"}}),
              ElementsAre(HasSubstr("net:ipv4:ip_forward is not a saved sysctl")));
  EXPECT_EQ(value(kForward), "0\n");
}

TEST_F(SysctlDriverTest, ASpoiltFileIsDrift) {
  sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
  std::filesystem::create_directories(state_ / "sysctl");
  std::ofstream(state_ / "sysctl" / "net:ipv4:ip_forward") << "1\n";
  SysctlDriver sysctls = driver();
  EXPECT_THAT(drift(sysctls, {{kForward, "1"}}),
              ElementsAre(AllOf(HasSubstr("different net/ipv4/ip_forward: 1 ("),
                                HasSubstr("is not a saved sysctl: remove it"))));
}

TEST_F(SysctlDriverTest, TheNextBootsSysctlsAreSavedAnew) {
  const SysctlKind::Table desired{{kForward, "1"}, {kForward6, "1"}};
  {
    SysctlDriver sysctls = driver("first boot");
    ASSERT_THAT(repair(sysctls, desired), IsEmpty());
  }
  // By then the administrator forwards IPv4, and there is a link with a router.
  sh("echo 0 > /proc/sys/net/ipv6/conf/all/forwarding");
  const AdvertisingRouter uplink("eth0");
  ASSERT_TRUE(uplink.is_heeded());
  SysctlDriver sysctls = driver("second boot");
  EXPECT_EQ(drift(sysctls, desired).size(), 2U);
  EXPECT_THAT(repair(sysctls, desired), IsEmpty());
  EXPECT_TRUE(uplink.is_default_route());
  EXPECT_THAT(repair(sysctls, {}), IsEmpty());
  EXPECT_EQ(value(kForward), "1\n");
  EXPECT_EQ(value(kForward6), "0\n");
  EXPECT_EQ(saved(), 0U);
}

TEST_F(SysctlDriverTest, NothingOfAnEarlierBootStays) {
  {
    SysctlDriver sysctls = driver("first boot");
    ASSERT_THAT(repair(sysctls, {{kForward, "1"}}), IsEmpty());
  }
  std::ofstream(state_ / "sysctl" / ".net:ipv6:conf:all:forwarding.new") << "bo";
  SysctlDriver sysctls = driver("second boot");
  EXPECT_THAT(drift(sysctls, {}), IsEmpty());
  EXPECT_EQ(saved(), 2U);
  EXPECT_TRUE(sysctls.tidy());
  EXPECT_EQ(saved(), 0U);
  EXPECT_EQ(value(kForward), "1\n");
}

TEST_F(SysctlDriverTest, BelongsToItsNamespaceWhereverTheThreadIs) {
  SysctlDriver sysctls = driver();
  {
    const NetnsGuard elsewhere = NetnsGuard::enter(fresh_netns()).value();
    sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
    EXPECT_THAT(repair(sysctls, {{kForward, "1"}}), IsEmpty());
    EXPECT_EQ(value(kForward), "0\n");
  }
  EXPECT_EQ(value(kForward), "1\n");
}

}  // namespace
}  // namespace weft::tables

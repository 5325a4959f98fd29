// SPDX-License-Identifier: Apache-2.0
//
// The claim: one address more on a link costs what the bare netlink message costs, and a constant
// beside, however many there are (IPVS keeps every Service's address on one link). In turns on the
// same links: the kernel itself walks what a link has.
// Usage: addresses NUMBER...
#include <linux/netlink.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "linux/netlink/address.h"
#include "linux/netlink/link.h"
#include "linux/netns.h"
#include "report.h"
#include "tables/address_driver.h"

namespace {

using weft::IpFamily;
using weft::Prefix;
using weft::bench::PrivateNetns;
using weft::bench::Samples;
using weft::bench::value_or_exit;
using weft::tables::AddressKind;

constexpr int kRounds = 200;
// As IPVS's dummy link it has no neighbors: where there are some the kernel keeps, and walks, a
// multicast group an address.
constexpr const char* kLink = "lo";
constexpr std::uint32_t kLinkIndex = 1;

Prefix nth(IpFamily family, unsigned number) {
  const char* first = family == IpFamily::kIpv6 ? "fd00:96::/96" : "10.96.0.0/12";
  return Prefix::host(value_or_exit(Prefix::parse(first)).at(number));
}

class Nothing final : public weft::reconcile::Desired<AddressKind> {
 public:
  const AddressKind::Value* find(const AddressKind::Key&) const override { return nullptr; }
  void each(const std::function<void(const AddressKind::Key&, const AddressKind::Value&)>&)
      const override {}
};

// A link with many addresses, to which one is added and removed.
class Node {
 public:
  Node(IpFamily family, unsigned addresses) : family_(family), extra_(nth(family, 1'000'000)) {
    weft::netlink::Link link;
    link.index = kLinkIndex;
    link.up = true;
    weft::netlink::Batch batch;
    weft::netlink::put_link_change(batch, link);
    for (unsigned i = 1; i <= addresses; ++i)
      weft::netlink::put_address(batch, {kLinkIndex, nth(family, i)});
    weft::bench::exit_unless(socket_.run(batch));
  }

  void add_by_driver() { write(nullptr, &present_); }
  void remove_by_driver() { write(&present_, nullptr); }
  void add_bare() {
    weft::netlink::Batch batch;
    weft::netlink::put_address(batch, {kLinkIndex, extra_});
    weft::bench::exit_unless(socket_.run(batch));
  }

 private:
  void write(const AddressKind::Value* previous, const AddressKind::Value* value) {
    const AddressKind::Key key{kLink, extra_};
    driver_.write({{key, previous, value}}, Nothing(), [](const auto& failures) {
      for (const auto& failure : failures) weft::bench::exit_unless(weft::Failure(failure.error));
    });
  }
  weft::netlink::Socket open() {
    const weft::Netns netns = value_or_exit(weft::Netns::open(netns_.path()));
    return value_or_exit(weft::netlink::Socket::open(NETLINK_ROUTE, netns));
  }

  IpFamily family_;
  Prefix extra_;
  PrivateNetns netns_ = value_or_exit(PrivateNetns::create());
  weft::netlink::Socket socket_ = open();
  weft::tables::AddressDriver driver_{socket_, {.links = {kLink}}};
  AddressKind::Value present_{};
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<unsigned> numbers;
  for (int i = 1; i < argc; ++i)
    numbers.push_back(static_cast<unsigned>(std::strtoul(argv[i], nullptr, 10)));
  if (numbers.empty()) numbers = {500, 10'000};
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    const std::string name = family == IpFamily::kIpv6 ? "IPv6" : "IPv4";
    std::vector<std::unique_ptr<Node>> nodes;
    for (const unsigned number : numbers) nodes.push_back(std::make_unique<Node>(family, number));
    std::vector<Samples> ours(numbers.size());
    std::vector<Samples> bare(numbers.size());
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        ours[i].measure([&] { nodes[i]->add_by_driver(); });
        nodes[i]->remove_by_driver();
        bare[i].measure([&] { nodes[i]->add_bare(); });
        nodes[i]->remove_by_driver();
      }
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const std::string among = name + ", one more among " + std::to_string(numbers[i]);
      weft::bench::print(among.c_str(), ours[i]);
      weft::bench::print("  the bare message", bare[i]);
    }
    const std::string ratio = name + ", among the most, to the bare message";
    weft::bench::print_ratio(ratio.c_str(), ours.back(), bare.back(), 1.5);
  }
}

// SPDX-License-Identifier: Apache-2.0
//
// The claim: reading 10,000 Services x 10 back from nf_tables never holds up the event loop, also
// while another process commits to a table of its own 50 times a second. Contestants: the same
// reading, alone and beside such a process. What is measured is one turn of the loop.
//
//   nft_read [SERVICES]
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <thread>
#include <utility>

#include "base/address.h"
#include "linux/netns.h"
#include "linux/nft/batch.h"
#include "report.h"
#include "tables/nft_driver.h"

namespace {

using weft::bench::exit_unless;
using weft::bench::PrivateNetns;
using weft::bench::Samples;
using weft::bench::value_or_exit;
using weft::tables::NftKind;

constexpr char kTable[] = "weft-services";
constexpr std::uint32_t kEndpoints = 10;
constexpr int kEvery = 20;  // milliseconds, between the other's commits

weft::netlink::Socket socket_in(const PrivateNetns& netns) {
  const weft::Netns opened = value_or_exit(weft::Netns::open(netns.path()));
  return value_or_exit(weft::netlink::Socket::open(NETLINK_NETFILTER, opened));
}

// Frontend . index → backend.
void fill(const PrivateNetns& netns, std::uint32_t services) {
  weft::netlink::Socket socket = socket_in(netns);
  const weft::nft::Set map{.key = {weft::nft::kIpv4Address, weft::nft::kMark},
                           .data = {weft::nft::kIpv4Address, weft::nft::kInetService}};
  const weft::nft::Batch::Elements elements{NFPROTO_IPV4, kTable, "endpoints", &map};
  weft::nft::Batch batch;
  batch.add_table(NFPROTO_IPV4, kTable, 0);
  batch.add_set(NFPROTO_IPV4, kTable, "endpoints", map);
  for (std::uint32_t service = 0; service < services; ++service)
    for (std::uint32_t index = 0; index < kEndpoints; ++index) {
      const std::uint32_t key[] = {service, index};
      const std::uint32_t value[] = {service * kEndpoints + index, 80};
      batch.add_element(elements, weft::bytes_of(key), weft::bytes_of(value));
    }
  exit_unless(batch.commit(socket));
}

class Another {
 public:
  explicit Another(const PrivateNetns& netns)
      : socket_(socket_in(netns)), thread_([this] { work(); }) {}
  ~Another() {
    ends_ = true;
    thread_.join();
  }

 private:
  void work() {
    for (bool there = false; !ends_; there = !there) {
      weft::nft::Batch batch;
      batch.add_table(NFPROTO_IPV4, "other", 0);
      batch.add_chain(NFPROTO_IPV4, "other", "c", {});
      if (there) batch.delete_table(NFPROTO_IPV4, "other");
      exit_unless(batch.commit(socket_));
      ::poll(nullptr, 0, kEvery);  // the pace
    }
  }

  weft::netlink::Socket socket_;
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

struct Counter final : weft::reconcile::ReadSink<NftKind> {
  void found(NftKind::Key, NftKind::Value) override { ++count; }
  void forget(const std::function<bool(const NftKind::Key&)>&) override {}
  void done(weft::Result<> outcome) override { exit_unless(outcome); }
  std::size_t count = 0;
};

void read(const PrivateNetns& netns, Samples& turns) {
  std::deque<std::function<void()>> waiting;
  weft::tables::NftDriver driver(socket_in(netns), kTable, [&](std::function<void()> work) {
    waiting.push_back(std::move(work));
  });
  Counter counter;
  turns.measure([&] { driver.read(counter); });
  while (!waiting.empty()) {
    const auto work = std::move(waiting.front());
    waiting.pop_front();
    turns.measure(work);
  }
}

void print_turns(const char* what, const Samples& turns) {
  std::printf("  %-44s longest %8.1f us   median %8.1f us   n=%zu\n", what, turns.maximum(),
              turns.median(), turns.count());
}

}  // namespace

int main(int argc, char** argv) {
  const auto services =
      static_cast<std::uint32_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10'000);
  const PrivateNetns netns = value_or_exit(PrivateNetns::create());
  fill(netns, services);
  std::printf("a read of %u Services x %u, turn by turn\n", services, kEndpoints);
  for (int round = 0; round < 3; ++round) {
    Samples alone;
    read(netns, alone);
    print_turns("alone", alone);
    const Another another(netns);
    Samples beside;
    read(netns, beside);
    print_turns("beside 50 commits/s of another's", beside);
  }
  return 0;
}

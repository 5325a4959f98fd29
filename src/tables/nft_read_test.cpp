// SPDX-License-Identifier: Apache-2.0
// Readings of a large table while others commit, to tables of their own and to this one.
#include <gmock/gmock.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <thread>

#include "linux/nft/batch.h"
#include "tables/nft_sample_test.h"

namespace weft::tables {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An event loop's turns by hand.
class Turns {
 public:
  NextTurn function() {
    return [this](std::function<void()> work) { waiting_.push_back(std::move(work)); };
  }
  bool waiting() const { return !waiting_.empty(); }
  void run_one() {
    const auto work = std::move(waiting_.front());
    waiting_.pop_front();
    measure(work);
  }
  template <class Work>
  void measure(Work work) {
    const auto start = steady_clock::now();
    const auto cpu = cpu_time();
    work();
    longest_ = std::max(longest_, steady_clock::now() - start);
    longest_work_ = std::max(longest_work_, cpu_time() - cpu);
    ++count_;
  }
  milliseconds longest() const { return duration_cast<milliseconds>(longest_); }
  // Of this thread, however busy the machine is.
  milliseconds longest_work() const { return duration_cast<milliseconds>(longest_work_); }
  int count() const { return count_; }

 private:
  std::deque<std::function<void()>> waiting_{};
  static steady_clock::duration cpu_time() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }

  steady_clock::duration longest_{};
  steady_clock::duration longest_work_{};
  int count_ = 0;
};

// Keeps a table as a Reconciler does, and counts what came.
struct Collector final : reconcile::ReadSink<NftKind> {
  void found(NftKind::Key key, NftKind::Value value) override {
    ++finds[key.name];
    table.insert_or_assign(std::move(key), std::move(value));
  }
  void forget(const std::function<bool(const NftKind::Key&)>& again) override {
    std::erase_if(table, [&](const auto& entry) { return again(entry.first); });
  }
  void done(Result<> how) override { outcome = std::move(how); }

  NftKind::Table table{};
  std::map<const NftName*, std::size_t> finds{};
  std::optional<Result<>> outcome{};
};

// Commits to a table of its own in this thread's namespace, over and over.
class OtherPeople {
 public:
  explicit OtherPeople(milliseconds every)
      : socket_(netlink::Socket::open(NETLINK_NETFILTER).value()),
        thread_([this, every] { work(every); }) {}
  ~OtherPeople() {
    ends_ = true;
    thread_.join();
  }
  int commits() const { return commits_; }

 private:
  void work(milliseconds every) {
    for (bool there = false; !ends_; there = !there) {
      nft::Batch batch;
      batch.add_table(NFPROTO_IPV4, "other", 0);
      batch.add_chain(NFPROTO_IPV4, "other", "c", {});
      nft::RuleBuilder rule(IpFamily::kIpv4);
      batch.add_rule(NFPROTO_IPV4, "other", "c", rule.counter().rule());
      if (there) batch.delete_table(NFPROTO_IPV4, "other");
      EXPECT_TRUE(batch.commit(socket_));
      ++commits_;
      ::poll(nullptr, 0, static_cast<int>(every.count()));  // the pace, not a wait
    }
  }

  netlink::Socket socket_;
  std::atomic<bool> ends_{false};
  std::atomic<int> commits_{0};
  std::thread thread_;
};

class NftReadTest : public ::testing::Test, protected NftDriverHarness {
 protected:
  // 10 endpoints a Service.
  void fill(std::uint32_t services) {
    for (std::uint32_t n = 0; n < services; ++n) {
      sample_.table()[sample_.service(n, 80)] = nft_verdict(NFT_GOTO, "n2");
      for (std::uint32_t index = 0; index < 10; ++index)
        sample_.table()[sample_.endpoint(n, 80, index)] = sample_.backend(n * 16 + index, 8080);
    }
    ASSERT_EQ(write({}, sample_.table()), "");
  }
  const NftName* set(const std::string& name) const {
    return sample_.key(NftType::kSet, name).name;
  }

  // How `found` differs from what should be there.
  static std::vector<std::string> differences(const NftKind::Table& found,
                                              const NftKind::Table& expected) {
    std::vector<std::string> lines;
    for (const auto& change : reconcile::diff<NftKind>(expected, found))
      lines.push_back(reconcile::to_drift(change).key);
    return lines;
  }

  // Begins a reading, and calls `meanwhile` after its first `slices`.
  void read_in_slices(int slices, const std::function<void()>& meanwhile) {
    driver_.emplace(open_socket(), "weft-test", turns_.function());
    collector_ = {};
    turns_.measure([&] { driver_->read(collector_); });
    under_way_ = false;  // a quick machine may be done by then
    for (int i = 0; turns_.waiting() || i <= slices; ++i) {
      if (i == slices) {
        under_way_ = turns_.waiting();
        meanwhile();
      }
      if (turns_.waiting()) turns_.run_one();
    }
    ASSERT_TRUE(collector_.outcome.has_value());
    ASSERT_TRUE(*collector_.outcome) << collector_.outcome->error().message;
  }

  // Of the last read_in_slices(). On a quick machine the later slices may find it over, the first
  // two may not.
  bool was_under_way(int slices) const {
    EXPECT_TRUE(under_way_ || slices >= 2) << slices;
    return under_way_;
  }

  Sample sample_{IpFamily::kIpv4};
  bool under_way_ = false;  // the read, when read_in_slices() called `meanwhile`
  Turns turns_{};
  Collector collector_{};
  std::optional<NftDriver> driver_{};
};

TEST_F(NftReadTest, OtherPeoplesCommitsCostNothing) {
  fill(10'000);
  const OtherPeople others(milliseconds(2));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(drift(sample_.table()), IsEmpty());
  EXPECT_GT(others.commits(), 20);
}

TEST_F(NftReadTest, ALongReadingTakesItsTurns) {
  fill(10'000);
  const OtherPeople others(milliseconds(20));
  read_in_slices(0, [] {});
  EXPECT_THAT(differences(collector_.table, sample_.table()), IsEmpty());
  EXPECT_GT(turns_.count(), 10);
  std::printf("longest turn %d ms, longest work %d ms, of %d turns\n",
              static_cast<int>(turns_.longest().count()),
              static_cast<int>(turns_.longest_work().count()), turns_.count());
}

TEST_F(NftReadTest, WhatIsFilledAMomentAgoIsReadWhole) {
  Sample sample(IpFamily::kIpv6);
  NftKind::Table before;
  for (std::uint64_t n = 0; n < 60'000; ++n) {
    for (std::uint32_t index = 0; index < 1; ++index)
      sample.table()[sample.endpoint(n, 80, index)] = sample.backend(n, 8080);
    if (n % 20'000 != 19'999) continue;
    ASSERT_EQ(write(before, sample.table()), "");
    EXPECT_EQ(drift(sample.table()).size(), 0U) << n;
    before = sample.table();
  }
}

TEST_F(NftReadTest, OnlyTheSetThatAnotherChangedIsReadAgain) {
  fill(3'000);
  const IpAddress one = sample_.address(1);
  const NftKind::Key hairpin = sample_.element("hairpin", {one.bytes(), one.bytes()});
  const std::string pair = one.to_string() + " . " + one.to_string();
  // While the kernel still makes room for a large batch, a reading misses elements and begins anew.
  const auto endpoints_found = [&] { return collector_.finds[set("endpoints")]; };
  for (int i = 0; i == 0 || (i < 50 && endpoints_found() > 30'010); ++i) read_in_slices(0, [] {});
  ASSERT_LT(endpoints_found(), 30'010U);
  bool there = true;
  for (const int slices : {0, 1, 3, 6}) {
    read_in_slices(slices, [&] {
      shell(std::string("nft ") + (there ? "delete" : "add") + " element ip weft-test hairpin '{ " +
            pair + " }'");
      there = !there;
    });
    if (!was_under_way(slices)) continue;
    NftKind::Table expected = sample_.table();
    if (!there) expected.erase(hairpin);
    EXPECT_THAT(differences(collector_.table, expected), IsEmpty()) << slices;
    // The set itself comes again with the structure; its elements do not.
    EXPECT_LT(endpoints_found(), 30'010U) << slices;
  }
}

TEST_F(NftReadTest, WhatAnotherDoesToOurTableMeanwhileIsInTheResult) {
  fill(2'000);
  const std::string first = sample_.address(1).to_string();
  const NftKind::Table whole = sample_.table();
  for (const int slices : {0, 1, 2, 4, 8}) {
    ASSERT_EQ(repair(whole), "");
    read_in_slices(slices, [&] {
      shell("nft add chain ip weft-test foreign");
      shell("nft add element ip weft-test services '{ " + first + " . sctp . 9 : drop }'");
      shell("nft delete element ip weft-test endpoints '{ " + first + " . tcp . 80 . 1 }'");
      shell("nft flush set ip weft-test cluster-ips");
    });
    if (!was_under_way(slices)) continue;
    EXPECT_EQ(differences(collector_.table, whole).size(), 4U) << slices;
    EXPECT_THAT(differences(collector_.table, read()), IsEmpty()) << slices;
  }
}

TEST_F(NftReadTest, ATableThatGoesMeanwhileIsGone) {
  fill(2'000);
  const NftKind::Table whole = sample_.table();
  for (const int slices : {0, 1, 2, 5}) {
    ASSERT_EQ(repair(whole), "");
    read_in_slices(slices, [&] { shell("nft delete table ip weft-test"); });
    if (!was_under_way(slices)) continue;
    EXPECT_THAT(collector_.table, IsEmpty()) << slices;
    ASSERT_EQ(repair(whole), "");
    read_in_slices(slices, [&] {
      shell("nft delete table ip weft-test");
      shell("nft add table ip weft-test; nft add set ip weft-test services '{ type mark; }'");
    });
    if (!was_under_way(slices)) continue;
    EXPECT_EQ(collector_.table.size(), 2U) << slices;
  }
}

TEST_F(NftReadTest, LostNotificationsMakeItReadAgain) {
  fill(3'000);
  const std::string first = sample_.address(1).to_string();
  read_in_slices(2, [&] {
    shell("nft delete element ip weft-test services '{ " + first + " . tcp . 80 }'");
    // More than a listener's buffer holds.
    nft::Batch batch;
    const nft::Set definition{.key = {nft::kIpv4Address}};
    const nft::Batch::Elements elements{NFPROTO_IPV4, "other", "s", &definition};
    batch.add_table(NFPROTO_IPV4, "other", 0);
    batch.add_set(NFPROTO_IPV4, "other", "s", definition);
    for (std::uint32_t i = 0; i < 200'000; ++i) batch.add_element(elements, bytes_of(i), {});
    netlink::Socket socket = open_socket();
    ASSERT_TRUE(batch.commit(socket));
  });
  NftKind::Table expected = sample_.table();
  expected.erase(sample_.service(1, 80));
  EXPECT_THAT(differences(collector_.table, expected), IsEmpty());
}

TEST_F(NftReadTest, ADriverThatIsGoneCallsNothing) {
  fill(2'000);
  driver_.emplace(open_socket(), "weft-test", turns_.function());
  driver_->read(collector_);
  ASSERT_TRUE(turns_.waiting());
  driver_.reset();
  const std::size_t found = collector_.table.size();
  while (turns_.waiting()) turns_.run_one();
  EXPECT_FALSE(collector_.outcome.has_value());
  EXPECT_EQ(collector_.table.size(), found);
}

}  // namespace
}  // namespace weft::tables

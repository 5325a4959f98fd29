// SPDX-License-Identifier: Apache-2.0
// Any table of ours becomes any other in one batch, and is then what it would be from scratch.
#include <rapidcheck.h>

#include "tables/nft_harness_test.h"

namespace weft::tables {
namespace {

// Random choices out of random bytes, so that a failing case shrinks.
class Choices {
 public:
  explicit Choices(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  unsigned below(unsigned n) { return at_ < bytes_.size() ? bytes_[at_++] % n : 0; }
  bool flip() { return below(2) == 1; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

// A small table: a base chain that jumps to inner chains, which jump and look up their way to leaf
// chains, and sets of every kind. Whatever is drawn, the kernel takes it.
class RandomTable {
 public:
  static NftKind::Table draw(std::vector<std::uint8_t> bytes) {
    Choices choices(std::move(bytes));
    NftKind::Table table;
    for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6})
      if (choices.flip()) RandomTable(family, choices, table).fill();
    return table;
  }

 private:
  enum class SetType { kNone, kPlain, kVerdicts, kData, kInterval, kRanges };

  RandomTable(IpFamily family, Choices& choices, NftKind::Table& table)
      : family_(family), choices_(choices), table_(table) {}

  void fill() {
    put(NftType::kTable, "", {});
    for (const char* name : {"leaf0", "leaf1", "leaf2"})
      if (choices_.flip()) leaves_.emplace_back(name);
    for (const std::string& leaf : leaves_) put_chain(leaf, {}, &RandomTable::leaf_rule);
    for (const char* name : {"s0", "s1", "s2", "s3"}) fill_set(name);
    for (const char* name : {"inner0", "inner1"}) {
      if (!choices_.flip()) continue;
      put_chain(name, {}, &RandomTable::inner_rule);
      inner_.emplace_back(name);
    }
    if (!choices_.flip()) return;
    const NftChain::Hook hook{.type = "filter",
                              .hook = NF_INET_LOCAL_IN,
                              .priority = static_cast<std::int32_t>(choices_.below(2)),
                              .policy = choices_.below(2)};
    put_chain("base", hook, &RandomTable::base_rule);
  }

  NftKind::Key key(NftType type, const std::string& name) const {
    const std::uint8_t protocol = family_ == IpFamily::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
    return {intern({protocol, type, "weft-random", name}), {}};
  }
  void put(NftType type, const std::string& name, NftKind::Value value) {
    table_[key(type, name)] = std::move(value);
  }

  void put_chain(const std::string& name, std::optional<NftChain::Hook> hook,
                 void (RandomTable::*draw_rule)(nft::RuleBuilder&)) {
    NftChain chain{.hook = std::move(hook), .rules = {}};
    const unsigned count = choices_.below(4);
    for (unsigned i = 0; i < count; ++i) {
      nft::RuleBuilder rule(family_);
      (this->*draw_rule)(rule);
      chain.rules.push_back(rule.rule(choices_.flip() ? "comment" : ""));
    }
    put(NftType::kChain, name, nft_chain(std::move(chain)));
  }

  void leaf_rule(nft::RuleBuilder& rule) {
    switch (choices_.below(4)) {
      case 0:
        rule.counter().drop();
        break;
      case 1:
        rule.protocol_is(6).reject_with_reset();
        break;
      case 2:
        rule.conntrack_state().has_none(1 + choices_.below(7)).accept();
        break;
      default:
        rule.conntrack_status().equals(choices_.below(3)).return_to_caller();
        break;
    }
  }

  void inner_rule(nft::RuleBuilder& rule) {
    if (!leaves_.empty() && choices_.flip()) {
      const std::string& leaf = leaves_[choices_.below(static_cast<unsigned>(leaves_.size()))];
      choices_.flip() ? rule.go_to(leaf) : rule.jump(leaf);
      return;
    }
    if (sets_.empty()) return leaf_rule(rule);
    const auto& [name, type] = sets_[choices_.below(static_cast<unsigned>(sets_.size()))];
    if (type == SetType::kData) return leaf_rule(rule);
    load_key(rule, type);
    if (type == SetType::kVerdicts)
      rule.verdict_map(name);
    else
      choices_.flip() ? rule.in_set(name).accept() : rule.not_in_set(name).drop();
  }

  void base_rule(nft::RuleBuilder& rule) {
    if (inner_.empty() || choices_.flip()) return inner_rule(rule);
    rule.jump(inner_[choices_.below(static_cast<unsigned>(inner_.size()))]);
  }

  static void load_key(nft::RuleBuilder& rule, SetType type) {
    rule.source_address();
    if (type != SetType::kPlain && type != SetType::kInterval) rule.destination_port();
  }

  void fill_set(const std::string& name) {
    const auto type = static_cast<SetType>(choices_.below(6));
    if (type == SetType::kNone) return;
    sets_.emplace_back(name, type);
    const nft::FieldType address = nft::address_type(family_);
    NftSet set{.key = {address, nft::kInetService}};
    if (type == SetType::kPlain || type == SetType::kInterval) set.key = {address};
    if (type == SetType::kInterval || type == SetType::kRanges) set.flags = NFT_SET_INTERVAL;
    if (type == SetType::kData) set.data = {address};
    set.verdict_map = type == SetType::kVerdicts;
    put(NftType::kSet, name, nft_set(std::move(set)));
    for (unsigned slot = 0; slot < 6; ++slot)
      if (choices_.flip()) put_element(name, type, slot);
  }

  // Slots are /28s (or /124s) apart, so that intervals never overlap; the last reaches to the end.
  void put_element(const std::string& name, SetType type, unsigned slot) {
    const bool last = slot == 5 && type == SetType::kInterval;
    const IpAddress first = last ? top(16) : base().plus(std::uint64_t{16} * slot);
    NftKind::Key element = key(NftType::kSet, name);
    const auto with_port = [&](const IpAddress& ip) {
      if (type == SetType::kPlain || type == SetType::kInterval) return NftBytes(ip.bytes());
      return nft_fields({ip.bytes(), bytes_of(to_be(std::uint16_t{80}))});
    };
    element.element = with_port(first);
    NftKind::Value value;
    switch (type) {
      case SetType::kVerdicts:
        value = leaves_.empty() || choices_.flip()
                    ? nft_verdict(static_cast<std::int32_t>(choices_.below(2)))
                    : nft_verdict(NFT_GOTO,
                                  leaves_[choices_.below(static_cast<unsigned>(leaves_.size()))]);
        break;
      case SetType::kData:
        value = nft_data(NftBytes(base().plus(choices_.below(3)).bytes()));
        break;
      case SetType::kInterval:
        value = nft_data(NftBytes(last ? top(1).bytes() : first.plus(choices_.below(16)).bytes()));
        break;
      case SetType::kRanges:
        value = nft_data(with_port(first.plus(choices_.below(16))));
        break;
      default:
        break;
    }
    table_[element] = value;
  }

  IpAddress base() const {
    return IpAddress::parse(family_ == IpFamily::kIpv4 ? "10.0.0.0" : "fd00::").value();
  }
  // The n-th address from the end.
  IpAddress top(unsigned n) const {
    return IpAddress::parse(family_ == IpFamily::kIpv4 ? "255.255.255.0"
                                                       : "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00")
        .value()
        .plus(256 - n);
  }

  IpFamily family_;
  Choices& choices_;
  NftKind::Table& table_;
  std::vector<std::string> leaves_{};
  std::vector<std::string> inner_{};
  std::vector<std::pair<std::string, SetType>> sets_{};
};

bool same_both_ways(const NftKind::Table& a, const NftKind::Table& b) {
  return reconcile::diff<NftKind>(a, b).empty() && reconcile::diff<NftKind>(b, a).empty();
}

TEST(NftProperty, AnyTableBecomesAnyOther) {
  NftDriverHarness changed("weft-random");
  NftDriverHarness scratch("weft-random");
  NftKind::Table believed;
  const bool held = rc::check("write A→B gives what B from scratch gives", [&] {
    const NftKind::Table desired = RandomTable::draw(*rc::gen::container<std::vector<std::uint8_t>>(
        250, rc::gen::map(rc::gen::inRange(0, 256),
                          [](int n) { return static_cast<std::uint8_t>(n); })));
    // As the Reconciler does: from what is believed, and after a failure from what is read.
    const std::string error = changed.write(believed, desired);
    if (!error.empty()) believed = changed.read();
    RC_ASSERT(error == "");
    believed = desired;

    RC_TAG(desired.size() / 10 * 10);
    RC_ASSERT(scratch.write({}, desired) == "");
    const NftKind::Table actual = changed.read();
    const NftKind::Table fresh = scratch.read();
    RC_ASSERT(scratch.write(fresh, {}) == "");
    RC_ASSERT(reconcile::diff<NftKind>(desired, actual).empty());
    RC_ASSERT(same_both_ways(actual, fresh));
  });
  EXPECT_TRUE(held);
  EXPECT_EQ(changed.write(changed.read(), {}), "");
  EXPECT_TRUE(changed.read().empty());
}

}  // namespace
}  // namespace weft::tables

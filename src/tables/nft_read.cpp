// SPDX-License-Identifier: Apache-2.0
#include "tables/nft_read.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <set>

#include "linux/netns.h"

namespace weft::tables {

namespace {

constexpr std::chrono::milliseconds kSlice{2};
constexpr std::chrono::seconds kLongestWait{10};
constexpr int kRounds = 20;
constexpr int kInterruptions = 50;
constexpr int kDumpsOfASet = 20;

bool has_family(const nft::TableRecord& table) {
  return table.family == NFPROTO_IPV4 || table.family == NFPROTO_IPV6 ||
         table.family == NFPROTO_INET;
}

// Nothing we plan is longer; what somebody put there is cut, which is enough to tell that it
// differs.
NftBytes bounded(Bytes bytes) {
  return NftBytes(bytes.first(std::min(bytes.size(), NftBytes::kCapacity)));
}

NftKind::Value table_value(std::uint32_t flags) {
  return flags == 0 ? NftKind::Value{} : nft_data(NftBytes(bytes_of(flags)));
}

}  // namespace

// ---- Keys counted

void NftRead::DistinctKeys::expect(std::size_t count) {
  if (!slots_.empty()) return;  // a further dump of the same set
  expected_ = count;
  slots_.assign(std::bit_ceil(2 * count + 2), 0);
}

void NftRead::DistinctKeys::insert(std::uint64_t hash) {
  if (slots_.empty() || size_ > expected_) return;
  if (hash == 0) hash = 1;  // 0 is an empty slot
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at] != 0 && slots_[at] != hash) at = (at + 1) & (slots_.size() - 1);
  if (slots_[at] == 0) ++size_;
  slots_[at] = hash;
}

// ---- Slices

NftRead::NftRead(netlink::Socket socket, nft::Watch watch, std::string table)
    : socket_(std::move(socket)), watch_(std::move(watch)), table_(std::move(table)) {}

Result<std::unique_ptr<NftRead>> NftRead::begin(const netlink::Socket& beside, std::string table) {
  WEFT_ASSIGN(const Netns netns, beside.netns());
  WEFT_ASSIGN(netlink::Socket socket, netlink::Socket::open(NETLINK_NETFILTER, netns));
  WEFT_ASSIGN(nft::Watch watch, nft::Watch::begin(socket));
  return std::unique_ptr<NftRead>(
      new NftRead(std::move(socket), std::move(watch), std::move(table)));
}

Result<bool> NftRead::go_on(Sink& sink) {
  const Clock::time_point end = Clock::now() + kSlice;
  yields_ = false;
  WEFT_TRY(take_notifications());
  do {
    WEFT_ASSIGN(const bool over, step(sink));
    if (over) return true;
  } while (!yields_ && Clock::now() < end);
  return false;
}

void NftRead::wait() const {
  if (target_) watch_.wait(std::chrono::milliseconds(10));
}

Result<bool> NftRead::step(Sink& sink) {
  if (dump_.under_way()) {
    WEFT_TRY(take_part());
  } else if (!jobs_.empty()) {
    job_ = jobs_.front();
    jobs_.pop_front();
    WEFT_TRY(begin_job(sink));
  } else {
    return settle();
  }
  return false;
}

Result<> NftRead::begin_job(Sink& sink) {
  const std::uint8_t family = job_.family;
  switch (job_.step) {
    case Step::kTables:
      structure_ = {};
      structure_changed_ = false;
      return dump_.tables([this](nft::TableRecord record) {
        if (record.name == table_ && has_family(record))
          structure_.tables.push_back(std::move(record));
      });
    case Step::kChains:
      return dump_.chains(family, table_, [this, family](nft::ChainRecord record) {
        if (!record.anonymous) structure_.chains[{family, record.name}] = std::move(record);
      });
    case Step::kRules:
      return dump_.rules(family, table_, [this, family](nft::RuleRecord record) {
        structure_.rules[{family, record.chain}].push_back(std::move(record.rule));
      });
    case Step::kSets:
      return dump_.sets(family, table_, [this, family](nft::SetRecord record) {
        if (!record.anonymous) structure_.sets.emplace_back(family, std::move(record));
      });
    case Step::kDeliver:
      deliver(sink);
      return {};
    case Step::kElements:
      return begin_elements(sink);
  }
  return {};
}

Result<> NftRead::begin_elements(Sink& sink) {
  const NftName* const name = job_.set;
  SetState& set = sets_.at(name);
  set.begun = true;
  set.digest = 0;
  set.parts = 0;
  if (set.count && !nft::is_interval(*set.definition)) set.keys.expect(*set.count);
  return dump_.elements(name->family, name->table, name->name, *set.definition,
                        [&set, &sink, name](Bytes bytes, Bytes value) {
                          NftKind::Key key{name, bounded(bytes)};
                          const std::uint64_t hash = NftKind::KeyHash{}(key);
                          set.keys.insert(hash);
                          set.digest = (set.digest ^ hash) * 0x9e3779b97f4a7c15U;
                          sink.found(std::move(key), nft_data(bounded(value)));
                        });
}

Result<> NftRead::take_part() {
  SetState* const set = job_.step == Step::kElements ? &sets_.at(job_.set) : nullptr;
  const std::uint64_t before = set != nullptr ? set->digest : 0;
  const Result<bool> last = dump_.next();
  if (!last && last.error().code == ENOENT) {  // the set, or the table, went meanwhile
    structure_changed_ = true;
    if (set != nullptr) set->changed = true;
    std::erase_if(jobs_, [](const Job& job) { return job.step != Step::kElements; });
    return {};
  }
  if (!last) return Failure(last.error());
  if (set != nullptr && set->digest != before) ++set->parts;
  return *last ? finish_dump() : Result<>{};
}

Result<> NftRead::finish_dump() {
  const bool everybodys = job_.step == Step::kTables || job_.step == Step::kChains;
  if (everybodys && dump_.interrupted()) {
    if (++interrupted_ > kInterruptions) return Failure(changing());
    if (job_.step == Step::kTables) structure_.tables.clear();
    std::erase_if(structure_.chains,
                  [&](const auto& entry) { return entry.first.first == job_.family; });
    jobs_.push_front(job_);
    return {};
  }
  if (job_.step == Step::kElements) return judge(sets_.at(job_.set));
  if (job_.step != Step::kTables) return {};
  jobs_.push_front({Step::kDeliver, 0, nullptr});
  for (const nft::TableRecord& table : structure_.tables)
    for (const Step step : {Step::kChains, Step::kRules, Step::kSets})
      jobs_.push_front({step, table.family, nullptr});
  return {};
}

// Whether the dump of a set that just ended is to be believed; see the header.
Result<> NftRead::judge(SetState& set) {
  ++set.dumps;
  const bool counted = set.count ? set.keys.size() == *set.count : set.parts <= 1;
  if (nft::is_interval(*set.definition) || counted || set.last_digest == set.digest ||
      set.changed) {
    set.keys = {};
    return {};
  }
  if (set.dumps >= kDumpsOfASet)
    return fail(NftKind::describe(NftKind::Key{job_.set, {}}) + ": no two dumps are alike", EAGAIN);
  set.last_digest = set.digest;
  jobs_.push_back(job_);
  yields_ = true;
  return {};
}

// ---- The structure, once it was read

void NftRead::deliver(Sink& sink) {
  std::map<const NftName*, SetState> now;
  for (auto& [family, record] : structure_.sets) {
    const NftName* name = intern({family, NftType::kSet, table_, record.name});
    const auto known = sets_.find(name);
    const bool stands = known != sets_.end() && !known->second.changed &&
                        nft::same_definition(record.set, *known->second.definition);
    SetState& set = now[name];
    if (stands) set = std::move(known->second);
    set.definition = std::make_shared<const NftSet>(std::move(record.set));
    if (!set.begun) set.count = record.count;
    if (stands) continue;
    std::erase_if(jobs_, [name](const Job& job) { return job.set == name; });
    if (!set.definition->packet_path_fills) jobs_.push_back({Step::kElements, family, name});
  }
  std::erase_if(jobs_,
                [&](const Job& job) { return job.set != nullptr && !now.contains(job.set); });
  sets_ = std::move(now);
  if (std::exchange(delivered_, true))
    sink.forget([this](const NftKind::Key& key) {
      if (key.name->table != table_) return false;  // another driver's, in the same sink
      if (key.element.empty()) return true;
      const auto set = sets_.find(key.name);
      return set == sets_.end() || !set->second.begun;
    });

  for (const nft::TableRecord& table : structure_.tables)
    sink.found({intern({table.family, NftType::kTable, table_, ""}), {}}, table_value(table.flags));
  for (auto& [at, record] : structure_.chains) {
    record.chain.rules = std::move(structure_.rules[at]);
    sink.found({intern({at.first, NftType::kChain, table_, at.second}), {}},
               nft_chain(std::move(record.chain)));
  }
  for (const auto& [name, set] : sets_) {
    remember_definition(name, set.definition);
    sink.found({name, {}}, NftKind::Value(set.definition));
  }
  structure_ = {};
}

// ---- What others did meanwhile

// All was dumped: true when nothing of it changed since.
Result<bool> NftRead::settle() {
  if (!target_) {
    WEFT_ASSIGN(target_, nft::generation(socket_), "nf_tables generation");
    waiting_since_ = Clock::now();
  }
  WEFT_TRY(take_notifications());
  if (!watch_.covers(*target_)) {
    if (Clock::now() - waiting_since_ > kLongestWait)
      return fail("nf_tables: no notification of generation " + std::to_string(*target_),
                  ETIMEDOUT);
    yields_ = true;
    return false;
  }
  target_.reset();
  const bool changed =
      structure_changed_ || std::any_of(sets_.begin(), sets_.end(),
                                        [](const auto& entry) { return entry.second.changed; });
  if (!changed) return true;
  if (++rounds_ > kRounds) return Failure(changing());
  jobs_.push_back({});  // the sets that changed follow from the structure
  return false;
}

Result<> NftRead::take_notifications() {
  WEFT_ASSIGN(const nft::Watch::Taken taken,
              watch_.take(socket_, [this](const auto& message) { note(message); }));
  if (!taken.lost) return {};
  structure_changed_ = true;
  for (auto& [name, set] : sets_) set.changed = set.begun;
  return {};
}

void NftRead::note(const netlink::MessageView& message) {
  std::string_view table;
  std::string_view set;  // of a message about a set or its elements
  for (const netlink::Attribute attribute : message.attributes<nfgenmsg>()) {
    if (attribute.type() == NFTA_TABLE_NAME) table = attribute.text();
    if (attribute.type() == NFTA_SET_NAME) set = attribute.text();
    if (attribute.type() >= NFTA_SET_NAME) break;
  }
  if (table != table_) return;
  const auto family = message.body<nfgenmsg>().nfgen_family;
  switch (NFNL_MSG_TYPE(message.type())) {
    case NFT_MSG_NEWSETELEM:
    case NFT_MSG_DELSETELEM:
      return mark(family, set);
    case NFT_MSG_NEWSET:
    case NFT_MSG_DELSET:
      structure_changed_ = true;
      return mark(family, set);
    case NFT_MSG_NEWTABLE:
    case NFT_MSG_DELTABLE:
      structure_changed_ = true;
      return mark(family, {});
    case NFT_MSG_NEWCHAIN:
    case NFT_MSG_DELCHAIN:
    case NFT_MSG_NEWRULE:
    case NFT_MSG_DELRULE:
      structure_changed_ = true;
      return;
    default:
      return;
  }
}

// The elements of a set, or ("") of every set of the family, may have changed. How many there were
// says nothing any more.
void NftRead::mark(std::uint8_t family, std::string_view set) {
  for (auto& [name, state] : sets_) {
    if (name->family != family || (!set.empty() && name->name != set)) continue;
    state.changed = state.begun;
    state.count.reset();
  }
}

Error NftRead::changing() const {
  return {"table " + table_ + " changed during every reading", EAGAIN};
}

}  // namespace weft::tables

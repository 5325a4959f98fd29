// SPDX-License-Identifier: Apache-2.0
#include "tables/nft.h"

#include <set>

#include "tables/nft_text.h"

namespace weft::tables {

namespace {

// A word of a key mixed into the hash so far.
std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  const std::uint64_t product = (hash ^ word) * 0x9e3779b97f4a7c15U;
  return product ^ product >> 32U;
}

bool same_chain(const NftChain& desired, const NftChain& actual) {
  if (desired.hook != actual.hook || desired.rules.size() != actual.rules.size()) return false;
  for (std::size_t i = 0; i < desired.rules.size(); ++i)
    if (!desired.rules[i].matches(actual.rules[i])) return false;
  return true;
}

std::unordered_map<const NftName*, std::shared_ptr<const NftSet>>& definitions() {
  static std::unordered_map<const NftName*, std::shared_ptr<const NftSet>> map;
  return map;
}

const NftSet* definition_of(const NftName* name) {
  const auto found = definitions().find(name);
  return found == definitions().end() ? nullptr : found->second.get();
}

std::string name_text(const NftName& name, const NftSet* definition) {
  std::string text(family_text(name.family));
  text.append(" ").append(name.table);
  if (name.type == NftType::kChain) text.append(" chain ").append(name.name);
  if (name.type == NftType::kSet) {
    const bool map =
        definition != nullptr && (definition->verdict_map || !definition->data.empty());
    text.append(map ? " map " : " set ").append(name.name);
  }
  return text;
}

}  // namespace

const NftName* intern(NftName name) {
  static std::set<NftName> names;
  return &*names.insert(std::move(name)).first;
}

void remember_definition(const NftName* set, std::shared_ptr<const NftSet> definition) {
  definitions()[set] = std::move(definition);
}

std::size_t NftKind::KeyHash::operator()(const Key& key) const {
  auto hash = reinterpret_cast<std::uintptr_t>(key.name);
  const Bytes bytes = key.element.view();
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t))
    hash = mix(hash, load<std::uint64_t>(bytes.subspan(at)));
  return mix(hash, bytes.size());
}

bool NftKind::same(const Value& desired, const Value& actual) {
  if (desired.data() != actual.data()) return false;
  if ((desired.chain() != nullptr) != (actual.chain() != nullptr)) return false;
  if ((desired.set() != nullptr) != (actual.set() != nullptr)) return false;
  if (desired.chain() != actual.chain() && !same_chain(*desired.chain(), *actual.chain()))
    return false;
  return desired.set() == actual.set() || nft::same_definition(*desired.set(), *actual.set());
}

std::string NftKind::describe(const Key& key) {
  const NftSet* definition = definition_of(key.name);
  std::string text = name_text(*key.name, definition);
  if (!key.element.empty())
    text += " { " +
            fields_text(key.element.view(),
                        definition ? definition->key : std::vector<nft::FieldType>{}) +
            " }";
  return text;
}

std::string NftKind::describe(const Value& value) {
  if (value.chain()) return chain_text(*value.chain());
  if (value.set()) return set_text(*value.set());
  return data_text(value.data().view());
}

std::string NftKind::describe(const Key& key, const Value& value) {
  const NftSet* definition = definition_of(key.name);
  if (key.element.empty() || definition == nullptr) return describe(value);
  if (definition->verdict_map) return verdict_text(value.data().view());
  if (nft::is_interval(*definition))
    return "to " + fields_text(value.data().view(), definition->key);
  return fields_text(value.data().view(), definition->data);
}

// ---- Values

NftKind::Value nft_chain(NftChain chain) {
  return NftKind::Value(std::make_shared<const NftChain>(std::move(chain)));
}

NftKind::Value nft_set(NftSet set) {
  return NftKind::Value(std::make_shared<const NftSet>(std::move(set)));
}

NftKind::Value nft_data(const NftBytes& data) { return NftKind::Value(data); }

NftKind::Value nft_verdict(std::int32_t code, std::string_view chain) {
  std::array<std::uint8_t, NftBytes::kCapacity> data;
  assert(sizeof code + chain.size() <= data.size());
  std::memcpy(data.data(), &code, sizeof code);
  std::copy(chain.begin(), chain.end(), data.begin() + sizeof code);
  return nft_data(Bytes(data).first(sizeof code + chain.size()));
}

NftBytes nft_fields(std::initializer_list<Bytes> fields) {
  std::array<std::uint8_t, NftBytes::kCapacity> bytes{};
  std::size_t size = 0;
  for (const Bytes field : fields) {
    assert(size + field.size() <= bytes.size());
    std::copy(field.begin(), field.end(), bytes.begin() + size);
    size += (field.size() + 3) & ~std::size_t{3};
  }
  return Bytes(bytes).first(size);
}

NftKind::Value last_key(const Prefix& prefix) { return nft_data(NftBytes(prefix.last().bytes())); }

}  // namespace weft::tables

// SPDX-License-Identifier: Apache-2.0
#include "tables/link_index.h"

#include <cerrno>

namespace weft::tables {

Result<std::optional<std::uint32_t>> LinkIndex::find(const std::string& name) {
  if (const auto known = indexes_.find(name); known != indexes_.end()) return known->second;
  WEFT_ASSIGN(const auto link, read(name));
  return link ? std::optional(link->index) : std::nullopt;
}

Result<std::uint32_t> LinkIndex::index_of(const std::string& name) {
  WEFT_ASSIGN(const auto index, find(name));
  if (!index) return fail_errno("link " + name, ENODEV);
  return *index;
}

Result<std::string> LinkIndex::name_of(std::uint32_t index) {
  if (index == 0) return std::string();
  if (const auto known = names_.find(index); known != names_.end()) return known->second;
  WEFT_ASSIGN(const auto link, netlink::find_link(socket_, index), "read link");
  names_[index] = link ? link->name : "";
  return names_[index];
}

Result<std::optional<netlink::Link>> LinkIndex::read(const std::string& name) {
  if (const auto known = indexes_.find(name); known != indexes_.end() && !known->second)
    return std::nullopt;
  WEFT_ASSIGN(auto link, netlink::find_link(socket_, name), "link " + name);
  indexes_[name] = link ? std::optional(link->index) : std::nullopt;
  if (link) names_[link->index] = name;
  return link;
}

Result<int> LinkIndex::open_netns(const std::string& path) {
  WEFT_ASSIGN(Netns netns, Netns::open(path));
  open_.push_back(std::move(netns));
  return open_.back().fd();
}

}  // namespace weft::tables

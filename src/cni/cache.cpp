// SPDX-License-Identifier: Apache-2.0
#include "cni/cache.h"

#include <cstdint>

#include "linux/file.h"

namespace weft::cni {
namespace {

constexpr std::string_view kKind = "cniCacheV1";
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

std::string results_directory(const std::string& directory) { return directory + "/results"; }

std::string name_of(std::string_view network, const Attachment& attachment) {
  return std::string(network) + "-" + attachment.container_id + "-" + attachment.ifname;
}

// In libcni's order of keys; what is empty is left out where libcni leaves it out.
Json entry_for(const ConfigurationList& list, const Attachment& attachment, const Json& result) {
  Json entry = {{"kind", std::string(kKind)},
                {"containerId", attachment.container_id},
                {"config", base64(list.json)},
                {"ifName", attachment.ifname},
                {"networkName", list.name}};
  if (!attachment.netns.empty()) entry["netns"] = attachment.netns;
  Json args = Json::array();
  for (const auto& [key, value] : attachment.args) args.push_back(Json::array({key, value}));
  if (!args.empty()) entry["cniArgs"] = std::move(args);
  const Outcome<Json> capabilities = parse_json(attachment.capability_args);
  if (capabilities && !capabilities->empty()) entry["capabilityArgs"] = *capabilities;
  entry["result"] = result;
  return entry;
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t start = 0; start < bytes.size(); start += 3) {
    const std::string_view part = bytes.substr(start, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < part.size() ? static_cast<unsigned char>(part[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= part.size() ? kAlphabet[bits >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

std::string cache_file(const std::string& directory, std::string_view network,
                       const Attachment& attachment) {
  return results_directory(directory) + "/" + name_of(network, attachment);
}

Result<> write_cache(const std::string& directory, const ConfigurationList& list,
                     const Attachment& attachment, const Json& result) {
  WEFT_TRY(make_directories(results_directory(directory), kDirectoryMode));
  // No network's name begins with a dot, so that nobody takes the unfinished file for an entry.
  return write_atomically(cache_file(directory, list.name, attachment),
                          print_compact(entry_for(list, attachment, result)), kFileMode,
                          Durable::kNo);
}

std::optional<Json> read_cache(const std::string& directory, const ConfigurationList& list,
                               const Attachment& attachment) {
  const Result<std::string> text = read_file(cache_file(directory, list.name, attachment));
  if (!text) return std::nullopt;
  Outcome<Json> entry = parse_json(*text);
  if (!entry || !entry->is_object()) return std::nullopt;
  const auto kind = entry->find("kind");
  const auto result = entry->find("result");
  if (kind == entry->end() || *kind != kKind || result == entry->end() || !result->is_object())
    return std::nullopt;
  return std::move(*result);
}

void remove_cache(const std::string& directory, const ConfigurationList& list,
                  const Attachment& attachment) {
  (void)remove_file(cache_file(directory, list.name, attachment));
}

}  // namespace weft::cni

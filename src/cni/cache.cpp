// SPDX-License-Identifier: Apache-2.0
#include "cni/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "base/unique_fd.h"

namespace weft::cni {
namespace {

constexpr std::string_view kKind = "cniCacheV1";
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

std::string results_directory(const std::string& directory) { return directory + "/results"; }

std::string name_of(std::string_view network, const Attachment& attachment) {
  return std::string(network) + "-" + attachment.container_id + "-" + attachment.ifname;
}

Result<> make_directories(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), kDirectoryMode) != 0 && errno != EEXIST)
      return fail_errno("make directory " + part);
    if (end == std::string::npos) return {};
  }
}

Result<> write_file(const std::string& path, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, kFileMode));
  if (!file) return fail_errno("open " + path);
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("write " + path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
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
  WEFT_TRY(make_directories(results_directory(directory)));
  const std::string path = cache_file(directory, list.name, attachment);
  // No network's name begins with a dot, so that nobody takes this for an entry.
  const std::string unfinished =
      results_directory(directory) + "/." + name_of(list.name, attachment);
  WEFT_TRY(write_file(unfinished, print_compact(entry_for(list, attachment, result))));
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return fail_errno("rename " + unfinished);
  return {};
}

std::optional<Json> read_cache(const std::string& directory, const ConfigurationList& list,
                               const Attachment& attachment) {
  std::ifstream stream(cache_file(directory, list.name, attachment), std::ios::binary);
  if (!stream) return std::nullopt;
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  Outcome<Json> entry = parse_json(text);
  if (!entry || !entry->is_object()) return std::nullopt;
  const auto kind = entry->find("kind");
  const auto result = entry->find("result");
  if (kind == entry->end() || *kind != kKind || result == entry->end() || !result->is_object())
    return std::nullopt;
  return std::move(*result);
}

void remove_cache(const std::string& directory, const ConfigurationList& list,
                  const Attachment& attachment) {
  ::unlink(cache_file(directory, list.name, attachment).c_str());
}

}  // namespace weft::cni

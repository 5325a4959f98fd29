// SPDX-License-Identifier: Apache-2.0
//
// What a runtime remembers of an attachment between ADD and DEL: libcni's cache, file for file
// (libcni/api.go, cachedInfo): DIRECTORY/results/NETWORK-CONTAINER-IFNAME holds one JSON object of
// kind "cniCacheV1", so that libcni finds what we added and we find what it added.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cni/json.h"
#include "cni/runtime.h"

namespace weft::cni {

std::string cache_file(const std::string& directory, std::string_view network,
                       const Attachment& attachment);

// `result` is the last plugin's, as printed. Atomic: the file is there whole or not at all.
Result<> write_cache(const std::string& directory, const ConfigurationList& list,
                     const Attachment& attachment, const Json& result);

// The result; nothing when there is no entry, or none that can be read.
std::optional<Json> read_cache(const std::string& directory, const ConfigurationList& list,
                               const Attachment& attachment);

void remove_cache(const std::string& directory, const ConfigurationList& list,
                  const Attachment& attachment);

std::string base64(std::string_view bytes);  // RFC 4648 §4

}  // namespace weft::cni

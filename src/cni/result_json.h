// SPDX-License-Identifier: Apache-2.0
//
// Results in the formats of every specification version: three shapes, 0.1.0–0.2.0 (ip4, ip6),
// 0.3.0–0.4.0 (ips with a version), 1.0.0–1.1.0. Conversion goes through CniResult, the newest:
// upward nothing is lost; downward goes what the older version cannot say, as in the reference.
#pragma once

#include <string_view>

#include "cni/json.h"
#include "cni/result.h"

namespace weft::cni {

// `version` is one of kVersions. Fails (code 999) for 0.1.0 and 0.2.0, which must have an address
// and hold at most one of each family, when there is none.
Outcome<Json> result_to_json(const CniResult& result, std::string_view version);

// The format is that of the result's own cniVersion, or of `version` where it has none. Errors:
// code 6, naming field and value; code 1 for a version that is not supported.
Outcome<CniResult> result_from_json(const Json& json, std::string_view version);

// The parts other formats use too (IPAM configurations have routes and DNS).
Route read_route(const Json& json, const std::string& path, ObjectReader& owner);
Dns read_dns(ObjectReader& owner, const char* key);

}  // namespace weft::cni

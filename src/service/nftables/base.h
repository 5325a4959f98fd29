// SPDX-License-Identifier: Apache-2.0
// The fixed part of the back end's table, and the chains that come with a number of backends.
#pragma once

#include "service/service_backend.h"

namespace weft::service::nftables {

// The table of one family with its sets, base chains and the CIDRs.
void plan_table(const ServiceContext& context, IpFamily family, tables::TableChanges& out);

// A balancing chain (see balance_chain).
tables::NftKind::Value balancing(IpFamily family, std::size_t backends);

const tables::NftName* intern(IpFamily family, tables::NftType type, std::string_view name);

}  // namespace weft::service::nftables

// SPDX-License-Identifier: Apache-2.0
// Every kind but nft (tables/nft.h), for those that deal with all.
#pragma once

#include "tables/address.h"
#include "tables/fdb.h"
#include "tables/file.h"
#include "tables/link.h"
#include "tables/neighbor.h"
#include "tables/route.h"
#include "tables/rule.h"
#include "tables/sysctl.h"

// SPDX-License-Identifier: Apache-2.0
#include "podnet/direct/transport.h"

namespace weft::podnet {

void DirectTransport::plan_route(const PeerRoute& route, const Underlay& underlay,
                                 tables::TableChanges& out) const {
  out.set<tables::RouteKind>({route.pod_cidr}, {.link = underlay.link, .gateway = route.remote});
}

}  // namespace weft::podnet

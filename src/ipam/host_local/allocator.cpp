// SPDX-License-Identifier: Apache-2.0
#include "ipam/host_local/allocator.h"

#include <algorithm>
#include <optional>
#include <set>

namespace weft::ipam {
namespace {

// One range set's choice, before anything is written.
class Chooser {
 public:
  Chooser(const RangeSet& set, const std::vector<Reservation>& reservations)
      : set_(set), reservations_(reservations) {
    for (const Reservation& reservation : reservations) {
      if (!reservation.holder.empty()) taken_.insert(reservation.address);
    }
  }

  Result<> check_no_duplicate(const Owner& owner) const {
    for (const Reservation& reservation : reservations_) {
      if (reservation.is_of(owner) && find_range(set_, reservation.address) != nullptr)
        return fail(reservation.address.to_string() + " has been allocated to " +
                    owner.container_id + " " + owner.ifname +
                    ", duplicate allocation is not allowed");
    }
    return {};
  }

  Result<Lease> choose(const std::optional<IpAddress>& last) const {
    RoundRobin candidates(set_, last);
    while (const std::optional<Lease> lease = candidates.next()) {
      if (!taken_.contains(lease->address.address)) return *lease;
    }
    return fail("no IP addresses available in range set: " + to_string(set_));
  }

  Result<Lease> choose_requested(const IpAddress& address) const {
    const Range* range = find_range(set_, address);
    if (address == range->gateway)
      return fail("requested IP " + address.to_string() + " is the subnet's gateway");
    if (taken_.contains(address))
      return fail("requested IP address " + address.to_string() +
                  " is not available in range set " + to_string(set_));
    return Lease{{address, range->subnet.length}, range->gateway};
  }

 private:
  const RangeSet& set_;
  const std::vector<Reservation>& reservations_;
  std::set<IpAddress> taken_{};
};

// Takes the first requested address that lies in `set` out of `requested`.
std::optional<IpAddress> take_requested(const RangeSet& set, std::vector<IpAddress>& requested) {
  const auto found =
      std::find_if(requested.begin(), requested.end(),
                   [&](const IpAddress& address) { return find_range(set, address) != nullptr; });
  if (found == requested.end()) return std::nullopt;
  const IpAddress address = *found;
  requested.erase(found);
  return address;
}

Result<std::vector<Lease>> choose_all(const Store& store, const Owner& owner,
                                      const std::vector<RangeSet>& range_sets,
                                      std::vector<IpAddress> requested) {
  WEFT_ASSIGN(const std::vector<Reservation> reservations, store.reservations());
  std::vector<Lease> leases;
  for (std::size_t index = 0; index < range_sets.size(); ++index) {
    const std::string context = "failed to allocate for range " + std::to_string(index);
    const Chooser chooser(range_sets[index], reservations);
    WEFT_TRY(chooser.check_no_duplicate(owner), context);
    const std::optional<IpAddress> wish = take_requested(range_sets[index], requested);
    WEFT_ASSIGN(const Lease lease,
                wish ? chooser.choose_requested(*wish) : chooser.choose(store.last_reserved(index)),
                context);
    leases.push_back(lease);
  }
  if (requested.empty()) return leases;
  std::string message = "failed to allocate all requested IPs:";
  for (const IpAddress& address : requested) message += " " + address.to_string();
  return fail(std::move(message));
}

Result<> reserve(Store& store, const Owner& owner, std::size_t range_set,
                 const IpAddress& address) {
  WEFT_ASSIGN(const bool reserved, store.reserve(address, owner));
  if (!reserved) return fail("address " + address.to_string() + " is taken");
  const Result<> hint = store.set_last_reserved(range_set, address);
  if (hint) return {};
  (void)store.remove(address);  // the first error is the one to tell
  return Failure(hint.error());
}

}  // namespace

Result<std::vector<Lease>> allocate(Store& store, const Owner& owner,
                                    const std::vector<RangeSet>& range_sets,
                                    std::vector<IpAddress> requested) {
  std::sort(requested.begin(), requested.end());
  requested.erase(std::unique(requested.begin(), requested.end()), requested.end());
  WEFT_ASSIGN(std::vector<Lease> leases,
              choose_all(store, owner, range_sets, std::move(requested)));
  for (std::size_t index = 0; index < leases.size(); ++index) {
    const Result<> reserved = reserve(store, owner, index, leases[index].address.address);
    if (reserved) continue;
    for (std::size_t back = 0; back < index; ++back)
      (void)store.remove(leases[back].address.address);
    return Failure(reserved.error());
  }
  return leases;
}

Result<> release(Store& store, const Owner& owner) {
  WEFT_ASSIGN(const std::vector<Reservation> reservations, store.reservations());
  for (const Reservation& reservation : reservations) {
    if (reservation.is_of(owner)) WEFT_TRY(store.remove(reservation.address));
  }
  return {};
}

}  // namespace weft::ipam

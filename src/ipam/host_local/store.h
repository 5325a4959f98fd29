// SPDX-License-Identifier: Apache-2.0
//
// The reservations of one network on disk, in the reference host-local plugin's own format
// (README.md beside this folder tells it byte by byte), so that a node changes plugins in place and
// back again.
//
// A Store holds the directory's lock for its life: every read and write below sees a directory that
// nobody else changes. A reservation appears whole or not at all (it is written to a file without a
// name, then linked), so a plugin killed at any moment leaves nothing half-made. The reference
// writes into a named file; one that died there left it empty, and since it wrote under the lock
// too, an empty file is known to be residue and is taken over.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "linux/file_lock.h"

namespace weft::ipam {

// The interface an address is handed out for.
struct Owner {
  std::string container_id{};
  std::string ifname{};
};

struct Reservation {
  IpAddress address{};
  std::string holder{};  // the file's text, without white space around it; empty: residue

  // Also true for files of old releases of the reference, which held the container's id alone.
  bool is_of(const Owner& owner) const;
};

class Store {
 public:
  // DATA_DIRECTORY/NETWORK, made if missing; waits for its lock.
  static Result<Store> open(const std::string& data_directory, const std::string& network);
  // Nothing when the directory is not there.
  static Result<std::optional<Store>> open_existing(const std::string& data_directory,
                                                    const std::string& network);

  Result<std::vector<Reservation>> reservations() const;
  // False when the address is taken.
  Result<bool> reserve(const IpAddress& address, const Owner& owner);
  // Removing what is not there is success.
  Result<> remove(const IpAddress& address);

  // A hint, by range set: nothing when never written or not readable as an address.
  std::optional<IpAddress> last_reserved(std::size_t range_set) const;
  Result<> set_last_reserved(std::size_t range_set, const IpAddress& address);

 private:
  Store(UniqueFd directory, FileLock lock)
      : directory_(std::move(directory)), lock_(std::move(lock)) {}

  static Result<Store> lock(const std::string& path, UniqueFd directory);
  Result<bool> create(const std::string& name, std::string_view text);
  Result<bool> create_named(const std::string& name, std::string_view text);
  std::optional<std::string> read(const std::string& name) const;

  UniqueFd directory_{};
  FileLock lock_{};
};

}  // namespace weft::ipam

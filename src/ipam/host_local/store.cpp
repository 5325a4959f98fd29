// SPDX-License-Identifier: Apache-2.0
#include "ipam/host_local/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "linux/file.h"

namespace weft::ipam {
namespace {

constexpr mode_t kDirectoryMode = 0755;
constexpr mode_t kFileMode = 0600;
constexpr std::string_view kLockFile = "lock";
constexpr std::string_view kLastReserved = "last_reserved_ip.";
constexpr std::string_view kLineBreak = "\r\n";
constexpr std::size_t kLongestFile = 4096;  // an id and an interface name are far below

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string content_for(const Owner& owner) {
  return std::string(trimmed(owner.container_id)).append(kLineBreak).append(owner.ifname);
}

UniqueFd open_directory(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

// Whether this file system (or kernel) lacks files without a name.
bool lacks_unnamed_files(int error) {
  return error == EOPNOTSUPP || error == EISDIR || error == EINVAL || error == ENOENT;
}

}  // namespace

bool Reservation::is_of(const Owner& owner) const {
  return !holder.empty() &&
         (holder == trimmed(content_for(owner)) || holder == trimmed(owner.container_id));
}

Result<Store> Store::open(const std::string& data_directory, const std::string& network) {
  const std::string path = data_directory + "/" + network;
  UniqueFd directory = open_directory(path);
  if (!directory && errno == ENOENT) {
    WEFT_TRY(make_directories(path, kDirectoryMode));
    directory = open_directory(path);
  }
  if (!directory) return fail_errno("open " + path);
  return lock(path, std::move(directory));
}

Result<std::optional<Store>> Store::open_existing(const std::string& data_directory,
                                                  const std::string& network) {
  const std::string path = data_directory + "/" + network;
  UniqueFd directory = open_directory(path);
  if (!directory && errno == ENOENT) return std::nullopt;
  if (!directory) return fail_errno("open " + path);
  WEFT_ASSIGN(Store store, lock(path, std::move(directory)));
  return std::optional<Store>(std::move(store));
}

Result<Store> Store::lock(const std::string& path, UniqueFd directory) {
  WEFT_ASSIGN(FileLock held, FileLock::acquire(path + "/" + std::string(kLockFile)));
  return Store(std::move(directory), std::move(held));
}

std::optional<std::string> Store::read(const std::string& name) const {
  const UniqueFd file(::openat(directory_.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::array<char, kLongestFile> block{};
  const ssize_t got = ::read(file.get(), block.data(), block.size());
  if (got < 0) return std::nullopt;
  return std::string(trimmed({block.data(), static_cast<std::size_t>(got)}));
}

Result<std::vector<Reservation>> Store::reservations() const {
  // A descriptor of its own: fdopendir takes it over, and its position is not shared.
  UniqueFd own(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return fail_errno("open the network's directory");
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(own.get()), ::closedir);
  if (!listing) return fail_errno("read the network's directory");
  own.release();
  std::vector<Reservation> found;
  while (const dirent* entry = ::readdir(listing.get())) {
    const Result<IpAddress> address = IpAddress::parse(entry->d_name);
    if (!address) continue;
    // A file that cannot be read still says that its address is taken.
    found.push_back({*address, read(entry->d_name).value_or("unreadable")});
  }
  return found;
}

Result<bool> Store::reserve(const IpAddress& address, const Owner& owner) {
  const std::string name = address.to_string();
  WEFT_ASSIGN(const bool created, create(name, content_for(owner)), "reserve " + name);
  if (created) return true;
  const std::optional<std::string> text = read(name);
  if (!text || !text->empty()) return false;
  WEFT_TRY(remove(address));
  return create(name, content_for(owner));
}

Result<bool> Store::create(const std::string& name, std::string_view text) {
  const UniqueFd file(::openat(directory_.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, kFileMode));
  if (!file && lacks_unnamed_files(errno)) return create_named(name, text);
  if (!file) return fail_errno("create a file");
  WEFT_TRY(write_all(file.get(), text, name));
  const std::string unnamed = "/proc/self/fd/" + std::to_string(file.get());
  if (::linkat(AT_FDCWD, unnamed.c_str(), directory_.get(), name.c_str(), AT_SYMLINK_FOLLOW) == 0)
    return true;
  if (errno == EEXIST) return false;
  if (lacks_unnamed_files(errno)) return create_named(name, text);
  return fail_errno("link " + name);
}

Result<bool> Store::create_named(const std::string& name, std::string_view text) {
  const UniqueFd file(
      ::openat(directory_.get(), name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kFileMode));
  if (!file && errno == EEXIST) return false;
  if (!file) return fail_errno("create " + name);
  const Result<> written = write_all(file.get(), text, name);
  if (!written) {
    ::unlinkat(directory_.get(), name.c_str(), 0);
    return Failure(written.error());
  }
  return true;
}

Result<> Store::remove(const IpAddress& address) {
  const std::string name = address.to_string();
  if (::unlinkat(directory_.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return fail_errno("remove " + name);
  return {};
}

std::optional<IpAddress> Store::last_reserved(std::size_t range_set) const {
  const std::optional<std::string> text =
      read(std::string(kLastReserved) + std::to_string(range_set));
  if (!text) return std::nullopt;
  const Result<IpAddress> address = IpAddress::parse(*text);
  return address ? std::optional(*address) : std::nullopt;
}

Result<> Store::set_last_reserved(std::size_t range_set, const IpAddress& address) {
  const std::string name = std::string(kLastReserved) + std::to_string(range_set);
  const std::string text = address.to_string();
  const UniqueFd file(
      ::openat(directory_.get(), name.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, kFileMode));
  if (!file) return fail_errno("open " + name);
  WEFT_TRY(write_all(file.get(), text, name));
  // Cut behind, not before: ext4 flushes to disk what was truncated to nothing and written anew.
  if (::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0)
    return fail_errno("truncate " + name);
  return {};
}

}  // namespace weft::ipam

// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/last_good.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "linux/file.h"

namespace weft::cluster {
namespace {

// Bytes of unused lines a file may have, however small the rest.
constexpr std::size_t kUnused = std::size_t{1} << 20;

struct Record {
  std::string_view name{};
  std::optional<std::string_view> text{};
  std::size_t size = 0;
};

std::string record_of(std::string_view name, std::string_view text) {
  return fmt::format("{} {}\n{}{}\n", name.size(), text.size(), name, text);
}

std::string gone_record_of(std::string_view name) {
  return fmt::format("{} -\n{}\n", name.size(), name);
}

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The first record of `rest`; nothing where there is none, or no whole one.
std::optional<Record> first_record(std::string_view rest) {
  const std::size_t header = rest.find('\n');
  const std::size_t space = rest.substr(0, header).find(' ');
  if (header == std::string_view::npos || space == std::string_view::npos) return std::nullopt;
  const std::string_view second = rest.substr(space + 1, header - space - 1);
  const auto name_size = number(rest.substr(0, space));
  const auto text_size = second == "-" ? std::optional<std::size_t>(0) : number(second);
  const std::size_t left = rest.size() - header - 1;
  if (!name_size || !text_size || *name_size > left || *text_size > left ||
      *name_size + *text_size >= left)
    return std::nullopt;
  Record record;
  record.size = header + 1 + *name_size + *text_size + 1;
  if (rest[record.size - 1] != '\n') return std::nullopt;
  record.name = rest.substr(header + 1, *name_size);
  if (second != "-") record.text = rest.substr(header + 1 + *name_size, *text_size);
  return record;
}

// Less than `size` bytes where it ends before.
std::string read_at(int fd, std::size_t offset, std::size_t size) {
  std::string text(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got =
        ::pread(fd, text.data() + filled, size - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

UniqueFd open_at_end(const std::string& path, int flags) {
  return UniqueFd(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | flags, 0600));
}

}  // namespace

LastGood::LastGood(std::string path)
    : path_(std::move(path)), beside_(path_ + ".new"), fd_(open_at_end(path_, 0)) {
  ::unlink(beside_.c_str());  // by one that was killed there
  if (fd_) load();
}

Result<> LastGood::open() {
  std::error_code error;  // of which opening tells
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
  fd_ = open_at_end(path_, O_CREAT);
  if (!fd_) return fail_errno(path_);
  load();
  return {};
}

void LastGood::load() {
  places_.clear();
  size_ = used_ = 0;
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return;
  take(read_at(fd_.get(), 0, static_cast<std::size_t>(status.st_size)));
  cut();
}

// Notes the whole records that `records`, which follow what was noted, begin with.
void LastGood::take(std::string_view records) {
  while (const auto record = first_record(records)) {
    const std::string name(record->name);
    if (const auto before = places_.find(name); before != places_.end()) {
      used_ -= before->second.record_size;
      places_.erase(before);
    }
    size_ += record->size;
    records.remove_prefix(record->size);
    if (!record->text) continue;
    const std::size_t text_size = record->text->size();
    places_[name] = {size_ - 1 - text_size, text_size, record->size};
    used_ += record->size;
  }
}

// Off with what follows the whole records.
void LastGood::cut() {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) fd_.reset();
}

Result<> LastGood::keep(const std::string& name, std::string_view text) {
  if (read(name) == text) return {};
  if (!fd_) WEFT_TRY(open());
  WEFT_TRY(append(record_of(name, text)));
  rewrite_if_worth_it();
  return {};
}

void LastGood::forget(const std::string& name) {
  if (!places_.contains(name)) return;
  // If it cannot be written, the next one to open the file finds the manifest gone itself.
  if (append(gone_record_of(name)))
    rewrite_if_worth_it();
  else
    places_.erase(name);
}

Result<> LastGood::append(const std::string& record) {
  if (auto written = write_all(fd_.get(), record, path_); !written) {
    cut();
    return written;
  }
  take(record);
  return {};
}

// If this fails, the next keep() or forget() tries again.
void LastGood::rewrite_if_worth_it() {
  if (size_ <= 2 * used_ + kUnused) return;
  std::string records;
  for (const auto& [name, place] : places_) records += record_of(name, read(name).value_or(""));
  UniqueFd fd = open_at_end(beside_, O_CREAT | O_TRUNC);
  if (!fd || !write_all(fd.get(), records, beside_) ||
      ::rename(beside_.c_str(), path_.c_str()) != 0) {
    ::unlink(beside_.c_str());
    return;
  }
  fd_ = std::move(fd);
  load();
}

std::optional<std::string> LastGood::read(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end() || !fd_) return std::nullopt;
  return read_at(fd_.get(), found->second.text, found->second.text_size);
}

std::set<std::string> LastGood::names() const {
  std::set<std::string> names;
  for (const auto& [name, place] : places_) names.insert(names.end(), name);
  return names;
}

}  // namespace weft::cluster

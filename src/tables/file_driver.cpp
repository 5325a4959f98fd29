// SPDX-License-Identifier: Apache-2.0
#include "tables/file_driver.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "linux/file.h"

namespace weft::tables {

namespace {

Result<> write_file(const std::string& path, const std::string& content) {
  WEFT_TRY(make_directories(path.substr(0, path.rfind('/')), 0755));
  return write_atomically(path, content, 0644, Durable::kYes);
}

}  // namespace

Result<FileKind::Table> FileDriver::read() {
  WEFT_ASSIGN(std::set<std::string> paths, written());
  paths.insert(owned_.begin(), owned_.end());
  FileKind::Table table;
  for (const std::string& path : paths) {
    WEFT_ASSIGN(auto content, read_if_there(path));
    if (content) table.emplace(path, std::move(*content));
  }
  return table;
}

Result<> FileDriver::tidy() {
  WEFT_ASSIGN(const auto written, this->written());
  WEFT_ASSIGN(const FileKind::Table table, read());
  std::set<std::string> there;
  for (const auto& [path, content] : table) there.insert(path);
  return there == written ? Result<>() : record(there);
}

void FileDriver::write(const reconcile::Changes<FileKind>& changes,
                       const reconcile::Desired<FileKind>&, reconcile::WriteDone<FileKind> done) {
  std::vector<reconcile::WriteFailure<FileKind>> failures;
  for (const auto& change : changes) {
    Result<> result = change.value ? put(change.key, *change.value) : remove(change.key);
    if (!result) failures.push_back({change.key, std::move(result.error())});
  }
  done(std::move(failures));
}

Result<std::set<std::string>> FileDriver::written() const {
  WEFT_ASSIGN(const auto text, read_if_there(record_));
  std::set<std::string> paths;
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) paths.emplace(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return paths;
}

Result<> FileDriver::record(const std::set<std::string>& paths) const {
  if (paths.empty()) return remove_file(record_);
  std::string text;
  for (const std::string& path : paths) text.append(path).append("\n");
  return write_file(record_, text);
}

Result<> FileDriver::put(const std::string& path, const std::string& content) const {
  WEFT_ASSIGN(auto paths, written());
  if (paths.insert(path).second) WEFT_TRY(record(paths));
  return write_file(path, content);
}

Result<> FileDriver::remove(const std::string& path) const {
  WEFT_TRY(remove_file(path));
  WEFT_ASSIGN(auto paths, written());
  return paths.erase(path) > 0 ? record(paths) : Result<>();
}

}  // namespace weft::tables

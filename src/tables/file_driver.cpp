// SPDX-License-Identifier: Apache-2.0
#include "tables/file_driver.h"

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
  FileKind::Table table;
  for (const std::string& path : paths_) {
    WEFT_ASSIGN(auto content, read_if_there(path));
    if (content) table.emplace(path, std::move(*content));
  }
  return table;
}

void FileDriver::write(const reconcile::Changes<FileKind>& changes,
                       const reconcile::Desired<FileKind>&, reconcile::WriteDone<FileKind> done) {
  std::vector<reconcile::WriteFailure<FileKind>> failures;
  for (const auto& change : changes) {
    Result<> result =
        change.value ? write_file(change.key, *change.value) : remove_file(change.key);
    if (!result) failures.push_back({change.key, std::move(result.error())});
  }
  done(std::move(failures));
}

}  // namespace weft::tables

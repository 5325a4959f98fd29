// SPDX-License-Identifier: Apache-2.0
//
// Files beside the kernel (the CNI configuration list): those of the owned paths, and those that an
// agent with another configuration wrote. STATE/files names what was written, a path a line, from
// before it is there until it is gone. Written whole. A directory made for one stays: others watch
// it (docs/decisions/0003).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "linux/netlink/socket.h"
#include "reconcile/table.h"
#include "tables/file.h"
#include "tables/ownership.h"

namespace weft::tables {

class FileDriver final : public reconcile::PromptDriver<FileKind> {
 public:
  FileDriver(std::vector<std::string> owned_paths, const std::string& state_directory)
      : owned_(std::move(owned_paths)), record_(state_directory + "/files") {}

  // For KernelTables, as every driver; files are of no network namespace.
  static Result<std::unique_ptr<FileDriver>> open(const netlink::Socket&,
                                                  const Ownership& ownership) {
    return std::make_unique<FileDriver>(ownership.files, ownership.state_directory);
  }

  // Makes the record what is there: forgets what somebody removed, takes on an owned file that is
  // there already. Nothing does so unasked (a read writes nothing): the agent asks at its start.
  Result<> tidy();

  Result<FileKind::Table> read() override;
  void write(const reconcile::Changes<FileKind>& changes,
             const reconcile::Desired<FileKind>& desired,
             reconcile::WriteDone<FileKind> done) override;

 private:
  Result<std::set<std::string>> written() const;  // as the record has it
  Result<> record(const std::set<std::string>& paths) const;
  Result<> put(const std::string& path, const std::string& content) const;
  Result<> remove(const std::string& path) const;

  std::vector<std::string> owned_;
  std::string record_;
};

}  // namespace weft::tables

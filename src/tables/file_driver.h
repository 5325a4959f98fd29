// SPDX-License-Identifier: Apache-2.0
// Files beside the kernel (the CNI configuration list): those of the owned paths. Written whole. A
// directory made for one stays: others watch it (docs/decisions/0003).
#pragma once

#include <string>
#include <vector>

#include "reconcile/table.h"
#include "tables/kinds.h"

namespace weft::tables {

class FileDriver final : public reconcile::Driver<FileKind> {
 public:
  explicit FileDriver(std::vector<std::string> owned_paths) : paths_(std::move(owned_paths)) {}

  Result<FileKind::Table> read() override;
  void write(const reconcile::Changes<FileKind>& changes,
             const reconcile::Desired<FileKind>& desired,
             reconcile::WriteDone<FileKind> done) override;

 private:
  std::vector<std::string> paths_;
};

}  // namespace weft::tables

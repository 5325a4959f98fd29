// SPDX-License-Identifier: Apache-2.0
//
// LastGood keeps the text of each manifest as it last was good, over restarts, so that an agent
// that is started while a file is broken has what that file said before, as it would had it run on.
//
// One file for all of them, to which each new text is appended: a file of its own for each would
// cost its creation (0.3 to 1 ms on ext4, an append 1 µs), at every start of every agent of a lab.
// When more than half of it (and 1 MiB) is of no use any more it is written anew, beside, and
// renamed. What a kill -9 left half-written at its end is cut off. Mode 0600, as a manifest may be
// a Secret. Not synced: what it serves is in the kernel, which forgets all when the machine stops.
//
// Records: "<bytes of name> <bytes of text>\n", name, text, "\n"; "-" for the second number: the
// file has gone. One thread, and one owner of the file.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace weft::cluster {

class LastGood {
 public:
  // Opens what is there; a file that is not there is made by the first keep().
  explicit LastGood(std::string path);

  // Writes nothing where the text is the same. After an error the text before it stands.
  Result<> keep(const std::string& name, std::string_view text);
  std::optional<std::string> read(const std::string& name) const;
  void forget(const std::string& name);

  std::set<std::string> names() const;
  const std::string& path() const { return path_; }

 private:
  struct Place {
    std::size_t text = 0;  // where it begins
    std::size_t text_size = 0;
    std::size_t record_size = 0;
  };

  Result<> open();
  void load();
  void take(std::string_view records);
  void cut();
  Result<> append(const std::string& record);
  void rewrite_if_worth_it();

  std::string path_;
  std::string beside_;
  UniqueFd fd_{};
  std::map<std::string, Place> places_{};
  std::size_t size_ = 0;  // of the file
  std::size_t used_ = 0;  // of it, the records in places_
};

}  // namespace weft::cluster

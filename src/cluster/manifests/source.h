// SPDX-License-Identifier: Apache-2.0
//
// ManifestSource keeps a ManifestDirectory at what its directory holds: an inotify watch, and a
// short wait between passes so that a burst of files is few. A file that is gone is given a moment
// to come back: who replaces it may take it away first, and lose no object by it. When the
// directory itself is replaced or events are lost, everything is read anew; while the directory is
// gone its objects stay, and it is looked for once a second. Copies that could not be made (a full
// disk) are tried again on a period.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "cluster/manifests/directory.h"
#include "cluster/source.h"
#include "loop/directory_watch.h"
#include "loop/loop.h"
#include "loop/timer.h"

namespace weft::cluster {

class ManifestSource final : public Source {
 public:
  using Report = ManifestDirectory::Report;

  struct Options {
    std::string path{};                         // of the directory
    std::string copies{};                       // LastGood's file
    std::chrono::milliseconds retry_copies{0};  // how soon to try again to write it; 0 = never
  };

  // `report` gets each problem once; `scanned` is called after each pass but the first.
  ManifestSource(loop::Loop& loop, Options options, Report report, std::function<void()> scanned);

  std::string name() const override;  // "the manifests in /etc/weft/manifests"
  // Watches, then reads the directory (so that nothing is missed between the two) and keeps at it.
  // Fails when the directory cannot be watched or listed.
  Result<> start(model::SourceSink& sink) override;
  // Reads now what waits for the next pass, if anything.
  void catch_up() override;
  // By file name; of the directory itself by "".
  std::map<std::string, std::string> problems() const override;

 private:
  Result<> watch();
  void on_changed(const std::set<std::string>& names);
  void on_timer();
  void pass();
  void plan_retry();
  void retry();

  loop::Loop& loop_;
  const Options options_;
  std::optional<ManifestDirectory> directory_{};  // once started
  Report report_;
  std::function<void()> scanned_;
  std::set<std::string> names_{};  // to be read in the next pass
  bool waited_ = false;            // for those of them that are gone
  loop::Loop::TimePoint last_pass_{};
  std::string lost_{};  // why the directory cannot be read, told once; "" where it can
  std::optional<loop::DirectoryWatch> watch_{};
  loop::Timer timer_;
  loop::Timer retry_timer_;
  bool retrying_ = false;  // it is armed
};

}  // namespace weft::cluster

// SPDX-License-Identifier: Apache-2.0
//
// ManifestDirectory reads a directory of manifests (*.yaml, *.yml, *.json; not hidden files, not
// subdirectories) and keeps a sink at what they say. Watching is ManifestSource's (source.h): this
// is told when to read, and what.
//
// - What is no regular file is a problem, and never waited for (a FIFO); a directory is no file.
// - A file that does not parse keeps its last good objects until it does, also over a restart
//   (last_good.h); what is wrong is reported once, with line and field, and stays in problems().
// - A file that goes takes its objects along, also one that went while nobody looked.
// - An object that two files have is the first's by file name (within a file: the first); the other
//   is a problem, and takes over when the first gives it up.
// - Kinds we do not know are reported once each and left alone.
// - synced() comes after the first full scan, also when some file did not parse: one bad file must
//   not keep a node that restarts from all the others.
//
// Writers should rename a finished file into place; one that writes in place is read when it
// closes. One thread. Watching is the caller's: scan() what DirectoryWatch names, or use
// ManifestSource.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/manifests/last_good.h"
#include "model/cluster_state.h"

namespace weft::cluster {

class ManifestDirectory {
 public:
  using Report = std::function<void(const std::string& message)>;

  // `copies` is LastGood's file. `sink` must outlive this. `report` gets each problem once, when it
  // appears.
  ManifestDirectory(std::string path, std::string copies, model::SourceSink& sink, Report report);

  // Reads the whole directory. Fails, changing nothing, when it cannot be listed.
  Result<> scan();
  // Reads these files of it ("" among them: all). Ones that are not there any more are removed.
  Result<> scan(const std::set<std::string>& names);

  const std::string& path() const { return path_; }
  // The files whose last good state would not outlast a restart, as no copy could be made: scan()
  // them to try again.
  const std::set<std::string>& not_kept() const { return not_kept_; }
  // What is wrong now, by file name; of not_kept() by the name of LastGood's file.
  std::map<std::string, std::string> problems() const;

 private:
  using Objects = std::vector<model::Object>;  // in order of their keys, none twice
  // A file's version of an object.
  struct Version {
    model::Object object;
    const std::string* file = nullptr;  // its name
  };
  // By object, and of one by file: the first one's version is what the sink got.
  struct ByObject {
    using is_transparent = void;
    bool operator()(const Version& a, const Version& b) const;
    bool operator()(const Version& a, const model::Object& b) const;
    bool operator()(const model::Object& a, const Version& b) const;
  };
  struct File {
    bool was_good = false;  // ever
    Objects objects{};      // as of its last good state
    std::string problem{};  // of its present state
  };

  Result<> scan_all();
  void read(const std::string& name);
  void forget(const std::string& name);
  Result<> take_text(const std::string& name, std::string_view text);
  void keep_copy(const std::string& name, std::string_view text);
  void take(const std::string& name, Objects objects);
  void claim(const std::string& name, const model::Object& object, const model::Object* was);
  void release(const std::string& name, const model::Object& object);
  std::string is_also_in(const Version& other, const Version& counts) const;
  Result<Objects> decode(const std::string& name, std::string_view text);
  void tell_not_kept();
  std::string not_kept_problem() const;
  void tell_unknown(const std::string& name, const std::set<std::string>& kinds);

  std::string path_;
  LastGood copies_;
  model::SourceSink& sink_;
  Report report_;
  std::map<std::string, File> files_{};
  std::set<Version, ByObject> versions_{};
  std::set<model::Object, model::ByObjectKey> contested_{};  // that several files have
  std::set<std::string> unknown_kinds_{};
  std::set<std::string> not_kept_{};
  std::string why_not_kept_{};  // the last of them
  bool not_kept_told_ = false;
  bool synced_ = false;
};

// Whether a file of this name is read at all.
bool is_manifest_name(std::string_view name);

}  // namespace weft::cluster

// SPDX-License-Identifier: Apache-2.0
//
// Sources: all that are configured, in order of precedence, and the one place where they meet.
//
// - The ClusterState is synced when every source is.
// - An object that two sources have is the first's in the configured order, whichever told of it
//   first; the others' versions wait. When the first gives it up, the next one's takes over at
//   once: it need not be told again. It is a problem, by name, for as long as it lasts.
// - Status goes to the source whose version of the object counts.
//
// What only the first source has, which is all where there is one, costs nothing here; of the
// others a key and two words an object. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/source.h"
#include "model/cluster_state.h"

namespace weft::cluster {

class Sources {
 public:
  using Report = std::function<void(const std::string& message)>;

  // `state` must outlive this. `report` gets each object that two sources have once.
  Sources(model::ClusterState& state, Report report);
  ~Sources();
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  // Before start(); those that are added first count first.
  void add(std::unique_ptr<Source> source);
  // Starts all of them; fails with the first that does not.
  Result<> start();

  void catch_up();
  void report(const ObjectStatus& status);

  // Those that have not told everything yet, by name.
  std::vector<std::string> waited_for() const;
  // What is wrong now: what the sources say, and the objects that two of them have.
  std::vector<std::string> problems() const;

 private:
  class Sink;
  struct Held {
    std::size_t owner = 0;                           // whose version counts
    std::map<std::size_t, model::Object> waiting{};  // the others', in order
  };

  void upsert(std::size_t source, model::Object object);
  void remove(std::size_t source, const model::ObjectKey& key);
  void synced();
  std::string conflict(const model::ObjectKey& key, const Held& held) const;

  model::ClusterState& state_;
  Report report_;
  std::vector<std::unique_ptr<Sink>> sinks_{};
  std::map<model::ObjectKey, Held> held_{};  // all but what only the first source has
};

}  // namespace weft::cluster

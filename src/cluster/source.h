// SPDX-License-Identifier: Apache-2.0
//
// Source: where the cluster's objects come from (a directory of manifests today, the Kubernetes API
// next). It tells a SourceSink every object it has, then synced(), then what changes; what it
// loses sight of for a while stays. The other way goes only status: what this node says of an
// object that the source has, for those that have somebody to tell it to.
//
// Several sources at once are told apart by Sources (sources.h), which is the sink of each: a
// source knows nothing of the others.
//
// On the loop's thread, all of it; start() may tell everything before it returns.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/cluster_state.h"

namespace weft::cluster {

// As the API has it: {"NetworkUnavailable", false, "WeftIsRunning", "routes and Services are
// written"}.
struct Condition {
  std::string type{};
  bool status = false;
  std::string reason{};   // one word
  std::string message{};  // for people
  bool operator==(const Condition&) const = default;
};

// What this node says of a Node or a Pod.
struct ObjectStatus {
  model::ObjectKey object{};
  std::vector<Condition> conditions{};
};

class Source {
 public:
  virtual ~Source() = default;

  // As a person would say it: "the manifests in /etc/weft/manifests".
  virtual std::string name() const = 0;

  // Once. `sink` outlives this. Fails where there is nothing to wait for (no such directory).
  virtual Result<> start(model::SourceSink& sink) = 0;

  // Tells now what it has seen and still holds back, if anything.
  virtual void catch_up() {}

  // What is wrong now, by what it is about (a file; "" the source itself).
  virtual std::map<std::string, std::string> problems() const = 0;

  // Of an object that it has. A source that is only read has nobody to tell.
  virtual void report(const ObjectStatus& status) { (void)status; }
};

}  // namespace weft::cluster

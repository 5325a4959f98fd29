// SPDX-License-Identifier: Apache-2.0
//
// What `apply` plays: Deployment controller, scheduler, kubelet and endpoint controller, as one
// loop from the stored objects to the pods that run, until nothing is left to do and every pod is
// ready or has failed. Level-triggered like the originals: each round looks at what is there and
// takes the next steps, so that an apply that was killed is finished by the next one. An address
// leaves the EndpointSlices before its pod is stopped, and enters them when its pod is ready.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lab/control_plane/objects.h"
#include "lab/kubelet/pods.h"
#include "lab/lab.h"
#include "lab/terminal.h"

namespace weft::lab {

class Controllers {
 public:
  // The lab is locked; all three outlive this. With a namespace, only its pods are theirs to mind.
  Controllers(const Lab& lab, ObjectStore& store, Progress& progress, std::string name_space = "")
      : lab_(lab), store_(store), progress_(progress), name_space_(std::move(name_space)) {}

  // Fails naming the pods that did not get ready in time, or that failed, with the end of their
  // log.
  Result<> converge(std::chrono::milliseconds timeout);

 private:
  using Names = std::set<ObjectName>;

  bool is_ours(const ObjectName& name) const {
    return name_space_.empty() || name.name_space == name_space_;
  }
  std::vector<ObjectName> pods() const;
  Result<> begin();
  Result<bool> round();  // true: something was done
  Result<> observe();
  Result<> observe_pod(const ObjectName& name, const PodRecord& record);
  Result<Names> step_deployments();
  Result<> remove_pods(const Names& names);
  Result<> start_missing();
  Result<> note_start(const ObjectName& name, Result<StartedPod> started);
  Result<> schedule_pods(const std::vector<ObjectName>& names);
  Result<> write_endpoints();
  bool at_rest() const;
  void show() const;
  Result<> failures() const;
  std::string waiting_for() const;

  const Lab& lab_;
  ObjectStore& store_;
  Progress& progress_;
  std::string name_space_;
  std::map<ObjectName, PodRecord> records_{};
  std::map<ObjectName, PodState> states_{};
  Names ended_before_{};                        // pods that had ended when this began
  std::map<ObjectName, std::string> failed_{};  // since then, and why
  bool endpoints_are_stale_ = true;
};

}  // namespace weft::lab

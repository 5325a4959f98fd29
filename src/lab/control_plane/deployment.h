// SPDX-License-Identifier: Apache-2.0
//
// The Deployment controller: one step from the pods there are towards the pods there should be. It
// is asked again after every step and every change of readiness, so a rolling replacement is the
// same few lines again and again, and one that was interrupted goes on where it stopped. Fields and
// defaults are the API's (apps/v1 DeploymentSpec); the pods are the Deployment's own (there is no
// ReplicaSet between), named <deployment>-<template hash>-<5 characters>. Pure.
#pragma once

#include <vector>

#include "document/document.h"
#include "lab/control_plane/objects.h"

namespace weft::lab {

// Fails naming the field: replicas, selector, labels that the selector does not match, the
// template.
Result<> check_deployment(const document::Document& document);

struct OwnedPod {
  ObjectName name{};
  std::string template_hash{};
  bool ready = false;
  bool ended = false;  // its process is gone
};

struct DeploymentStep {
  std::vector<Json> create{};
  std::vector<ObjectName> remove{};
  bool empty() const { return create.empty() && remove.empty(); }
};

std::string template_hash(const Json& deployment);

DeploymentStep step(const Json& deployment, const std::vector<OwnedPod>& pods);

}  // namespace weft::lab

// SPDX-License-Identifier: Apache-2.0
//
// The seam between the protocol and the plugins. A plugin is a name and a function per verb, in a
// table; the dispatcher (dispatch.h) has checked environment and configuration before it calls one,
// and prints what it returns. A verb whose function is missing is answered with a CNI error.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cni/config.h"
#include "cni/environment.h"
#include "cni/error.h"
#include "cni/result.h"

namespace weft::cni {

struct Plugin;

struct Request {
  Environment environment{};
  NetworkConfig config{};
  std::string input{};                 // stdin, as it came: what a delegate gets
  Variables variables{};               // the whole environment: what a delegate gets
  std::span<const Plugin> siblings{};  // the plugins in this binary
};

struct Plugin {
  std::string_view name{};
  Outcome<CniResult> (*add)(const Request&) = nullptr;
  Outcome<> (*del)(const Request&) = nullptr;
  Outcome<> (*check)(const Request&) = nullptr;
  Outcome<> (*gc)(const Request&) = nullptr;
  Outcome<> (*status)(const Request&) = nullptr;
};

const Plugin* find_plugin(std::span<const Plugin> plugins, std::string_view name);

}  // namespace weft::cni

// SPDX-License-Identifier: Apache-2.0
//
// Hears what others change in the kernel, so that drift is mended in milliseconds: rtnetlink and
// nf_tables notifications (our own changes are filtered out in the kernel, by port id), and inotify
// for the sysctls and files we set, which have no notifications (a write to a file below /proc/sys
// raises inotify events like any other). One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "linux/netlink/socket.h"
#include "loop/directory_watch.h"
#include "loop/fd_watcher.h"
#include "loop/loop.h"
#include "reconcile/reconciler.h"
#include "tables/kernel_tables.h"
#include "tables/notifications.h"

namespace weft::agent {

class KernelWatch {
 public:
  // Calls `touched` with what may have changed; every kind, and the underlay, when notifications
  // were lost. Of the thread's network namespace; `own` are the port ids to leave out; `kernel`
  // must outlive this.
  using Touched = std::function<void(const tables::Notifications::Touched&)>;
  static Result<std::unique_ptr<KernelWatch>> open(loop::Loop& loop, tables::KernelTables& kernel,
                                                   std::span<const std::uint32_t> own,
                                                   Touched touched);

  // Of links that are not ours only these are listened to.
  void rest_on(tables::Notifications::Underlay underlay);

  // `reconciler` outlives this. Watches the directories of the sysctls and files that are desired
  // now, and what may let routes that are failing succeed. After each pass: a directory that was
  // not there may have been made.
  void follow(const reconcile::Reconciler& reconciler);

 private:
  struct Watched {
    std::string_view kind{};
    std::set<std::string> names{};
    std::optional<loop::DirectoryWatch> watch{};  // none: the directory is not there (yet)
  };

  KernelWatch(loop::Loop& loop, tables::KernelTables& kernel, Touched touched);
  void on_route();
  void on_netfilter();
  void tell(bool lost);
  void watch_sysctls_anew();
  void watch_directory(const std::string& directory, Watched& watched);

  loop::Loop& loop_;
  tables::Notifications notifications_;
  Touched touched_;
  std::optional<netlink::Listener> route_{};
  std::optional<netlink::Listener> netfilter_{};
  std::optional<loop::FdWatcher> route_watcher_{};
  std::optional<loop::FdWatcher> netfilter_watcher_{};
  std::map<std::string, Watched> directories_{};
  bool routes_wait_ = false;  // not all of ours are written
  std::function<bool(const tables::RouteKind::Key&)> is_desired_{};
};

}  // namespace weft::agent

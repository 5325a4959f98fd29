// SPDX-License-Identifier: Apache-2.0
#include "agent/kernel_watch.h"

#include <algorithm>

#include "linux/netns.h"
#include "log/log.h"
#include "tables/changes.h"
#include "tables/kinds.h"

namespace weft::agent {
namespace {

using tables::FileKind;
using tables::RouteKind;
using tables::SysctlKind;

tables::Notifications::Touched everything() {
  tables::Notifications::Touched all;
  all.underlay = true;
  all.links_anew = true;
  tables::TableChanges().each([&]<class Kind>(const std::vector<reconcile::Edit<Kind>>&) {
    all.kinds.emplace(Kind::kName);
  });
  return all;
}

// False where notifications were lost. What is queued then is older than the loss that was just
// told of, and goes unheard: everything is read after it.
bool hear(netlink::Listener& listener, loop::FdWatcher& watcher,
          const std::function<void(const netlink::MessageView&)>& each) {
  const auto received = listener.receive(each);
  if (received && !received->lost) return true;
  for (bool more = true; more;) {
    more = false;
    (void)listener.receive([&](const netlink::MessageView&) { more = true; });
  }
  (void)watcher.set_interest({.readable = true, .writable = false});  // the error has ended it
  return false;
}

}  // namespace

KernelWatch::KernelWatch(loop::Loop& loop, tables::KernelTables& kernel, Touched touched)
    : loop_(loop),
      notifications_(kernel.socket(), kernel.ownership()),
      touched_(std::move(touched)) {}

Result<std::unique_ptr<KernelWatch>> KernelWatch::open(loop::Loop& loop,
                                                       tables::KernelTables& kernel,
                                                       std::span<const std::uint32_t> own,
                                                       Touched touched) {
  using tables::Notifications;
  WEFT_ASSIGN(const Netns netns, Netns::current());
  std::unique_ptr<KernelWatch> made(new KernelWatch(loop, kernel, std::move(touched)));
  KernelWatch* const self = made.get();
  WEFT_ASSIGN(self->route_,
              netlink::Listener::open(NETLINK_ROUTE, netns, Notifications::kRouteGroups, own));
  WEFT_ASSIGN(self->netfilter_, netlink::Listener::open(NETLINK_NETFILTER, netns,
                                                        Notifications::kNetfilterGroups, own));
  WEFT_ASSIGN(self->route_watcher_,
              loop::FdWatcher::readable(loop, self->route_->fd(), [self] { self->on_route(); }));
  WEFT_ASSIGN(
      self->netfilter_watcher_,
      loop::FdWatcher::readable(loop, self->netfilter_->fd(), [self] { self->on_netfilter(); }));
  return made;
}

void KernelWatch::on_route() {
  const bool whole = hear(*route_, *route_watcher_,
                          [this](const auto& message) { notifications_.take_route(message); });
  tell(!whole);
}

void KernelWatch::on_netfilter() {
  const bool whole = hear(*netfilter_, *netfilter_watcher_,
                          [this](const auto& message) { notifications_.take_netfilter(message); });
  tell(!whole);
}

void KernelWatch::tell(bool lost) {
  tables::Notifications::Touched touched = notifications_.collect();
  if (lost) {
    log::warning("agent", "kernel notifications were lost; reading everything");
    notifications_.forget();
    touched = everything();
  }
  if (touched.links_anew) watch_sysctls_anew();
  // Others' routes come and go in thousands: ours are read for that only where one is missing, or
  // was where another's is now.
  const auto is_desired = [&](const RouteKind::Key& key) { return is_desired_(key); };
  if ((touched.others_route && routes_wait_) ||
      (is_desired_ && std::any_of(touched.replaced.begin(), touched.replaced.end(), is_desired)))
    touched.kinds.emplace(RouteKind::kName);
  if (!touched.kinds.empty() || touched.underlay) touched_(touched);
}

void KernelWatch::rest_on(tables::Notifications::Underlay underlay) {
  notifications_.rest_on(std::move(underlay));
}

// A link that was made anew has the kernel's sysctls, and what watched the old one's hears nothing.
void KernelWatch::watch_sysctls_anew() {
  for (auto& [directory, watched] : directories_) {
    if (watched.kind != SysctlKind::kName) continue;
    watched.watch.reset();
    watch_directory(directory, watched);
  }
}

void KernelWatch::follow(const reconcile::Reconciler& reconciler) {
  routes_wait_ = !reconciler.settled(RouteKind::kName);
  is_desired_ = [&reconciler](const RouteKind::Key& key) {
    return reconciler.find<RouteKind>(key) != nullptr;
  };
  std::map<std::string, Watched> wanted;
  const auto want = [&](std::string_view kind, const std::string& path) {
    const std::size_t slash = path.rfind('/');
    Watched& watched = wanted[path.substr(0, slash)];
    watched.kind = kind;
    watched.names.insert(path.substr(slash + 1));
  };
  reconciler.each<SysctlKind>([&](const std::string& key, const std::string&) {
    want(SysctlKind::kName, "/proc/sys/" + key);
  });
  reconciler.each<FileKind>(
      [&](const std::string& path, const std::string&) { want(FileKind::kName, path); });

  for (auto& [directory, watched] : wanted) {
    const auto had = directories_.find(directory);
    if (had != directories_.end()) watched.watch = std::move(had->second.watch);
    if (!watched.watch) watch_directory(directory, watched);
  }
  directories_ = std::move(wanted);
}

void KernelWatch::watch_directory(const std::string& directory, Watched& watched) {
  auto watch = loop::DirectoryWatch::watch(
      loop_, directory, [this, directory](const std::set<std::string>& names) {
        const auto found = directories_.find(directory);
        if (found == directories_.end()) return;
        const bool gone = names.contains("");
        if (gone) found->second.watch.reset();  // follow() watches it anew if it is made again
        const auto& ours = found->second.names;
        if (gone || std::any_of(names.begin(), names.end(),
                                [&](const std::string& name) { return ours.contains(name); }))
          touched_({.kinds = {std::string(found->second.kind)}});
      });
  if (watch) watched.watch = std::move(*watch);
}

}  // namespace weft::agent

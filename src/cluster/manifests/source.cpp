// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/source.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace weft::cluster {
namespace {

using namespace std::chrono_literals;
constexpr auto kMoment = 2ms;   // in which all is told of one file
constexpr auto kBurst = 20ms;   // between two passes
constexpr auto kReturn = 20ms;  // in which a file that is gone may come back
constexpr auto kRetry = 1s;

}  // namespace

ManifestSource::ManifestSource(loop::Loop& loop, Options options, Report report,
                               std::function<void()> scanned)
    : loop_(loop),
      options_(std::move(options)),
      report_(std::move(report)),
      scanned_(std::move(scanned)),
      timer_(loop, [this] { on_timer(); }),
      retry_timer_(loop, [this] { retry(); }) {}

std::string ManifestSource::name() const { return "the manifests in " + options_.path; }

Result<> ManifestSource::start(model::SourceSink& sink) {
  directory_.emplace(options_.path, options_.copies, sink, report_);
  WEFT_TRY(watch(), "manifest directory");
  WEFT_TRY(directory_->scan(), "manifest directory");
  plan_retry();
  return {};
}

Result<> ManifestSource::watch() {
  WEFT_ASSIGN(watch_, loop::DirectoryWatch::watch(
                          loop_, options_.path,
                          [this](const std::set<std::string>& names) { on_changed(names); }));
  return {};
}

void ManifestSource::on_changed(const std::set<std::string>& names) {
  if (names_.empty()) timer_.arm(std::max(loop::Loop::now() + kMoment, last_pass_ + kBurst));
  names_.insert(names.begin(), names.end());
}

void ManifestSource::on_timer() {
  const bool may_return = std::any_of(names_.begin(), names_.end(), [this](const auto& name) {
    return is_manifest_name(name) && ::access((options_.path + "/" + name).c_str(), F_OK) != 0;
  });
  if (may_return && !std::exchange(waited_, true)) return timer_.arm(loop::Loop::now() + kReturn);
  pass();
}

void ManifestSource::catch_up() {
  if (names_.empty()) return;
  timer_.disarm();
  pass();
}

std::map<std::string, std::string> ManifestSource::problems() const {
  std::map<std::string, std::string> problems;
  if (directory_) problems = directory_->problems();
  if (!lost_.empty()) problems.emplace("", lost_);
  return problems;
}

void ManifestSource::pass() {
  const std::set<std::string> names = std::exchange(names_, {});
  waited_ = false;
  last_pass_ = loop::Loop::now();
  Result<> done;
  // A watch follows the directory it was put on, not the path: it may be another one by now.
  if (names.contains("")) done = watch();
  if (done) done = directory_->scan(names);
  if (!done) {
    std::string problem =
        "manifest directory: " + done.error().message + "; what it last said stands";
    if (problem != lost_) report_(problem);
    lost_ = std::move(problem);
    names_.insert("");
    timer_.arm(loop::Loop::now() + kRetry);
    return;
  }
  lost_.clear();
  plan_retry();
  scanned_();
}

void ManifestSource::plan_retry() {
  if (retrying_ || options_.retry_copies.count() == 0 || directory_->not_kept().empty()) return;
  retrying_ = true;
  retry_timer_.arm(loop::Loop::now() + options_.retry_copies);
}

void ManifestSource::retry() {
  retrying_ = false;
  names_.insert(directory_->not_kept().begin(), directory_->not_kept().end());
  catch_up();
}

}  // namespace weft::cluster

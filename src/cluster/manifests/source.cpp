// SPDX-License-Identifier: Apache-2.0
#include "cluster/manifests/source.h"

#include <chrono>
#include <utility>

namespace weft::cluster {
namespace {

using namespace std::chrono_literals;
constexpr auto kBurst = 20ms;
constexpr auto kRetry = 1s;

}  // namespace

ManifestSource::ManifestSource(loop::Loop& loop, Options options, model::SourceSink& sink,
                               Report report, std::function<void()> scanned)
    : loop_(loop),
      directory_(std::move(options.path), std::move(options.copies), sink, report),
      report_(std::move(report)),
      scanned_(std::move(scanned)),
      timer_(loop, [this] { pass(); }),
      retry_copies_(options.retry_copies),
      retry_timer_(loop, [this] { retry(); }) {}

Result<std::unique_ptr<ManifestSource>> ManifestSource::start(loop::Loop& loop, Options options,
                                                              model::SourceSink& sink,
                                                              Report report,
                                                              std::function<void()> scanned) {
  std::unique_ptr<ManifestSource> made(
      new ManifestSource(loop, std::move(options), sink, std::move(report), std::move(scanned)));
  WEFT_TRY(made->watch(), "manifest directory");
  WEFT_TRY(made->directory_.scan(), "manifest directory");
  made->plan_retry();
  return made;
}

Result<> ManifestSource::watch() {
  WEFT_ASSIGN(watch_, loop::DirectoryWatch::watch(loop_, directory_.path(),
                                                  [this](const std::set<std::string>& names) {
                                                    if (names_.empty())
                                                      timer_.arm(loop::Loop::now() + kBurst);
                                                    names_.insert(names.begin(), names.end());
                                                  }));
  return {};
}

void ManifestSource::catch_up() {
  if (names_.empty()) return;
  timer_.disarm();
  pass();
}

std::map<std::string, std::string> ManifestSource::problems() const {
  std::map<std::string, std::string> problems = directory_.problems();
  if (!lost_.empty()) problems.emplace("", lost_);
  return problems;
}

void ManifestSource::pass() {
  const std::set<std::string> names = std::exchange(names_, {});
  Result<> done;
  // A watch follows the directory it was put on, not the path: it may be another one by now.
  if (names.contains("")) done = watch();
  if (done) done = directory_.scan(names);
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
  if (retrying_ || retry_copies_.count() == 0 || directory_.not_kept().empty()) return;
  retrying_ = true;
  retry_timer_.arm(loop::Loop::now() + retry_copies_);
}

void ManifestSource::retry() {
  retrying_ = false;
  names_.insert(directory_.not_kept().begin(), directory_.not_kept().end());
  catch_up();
}

}  // namespace weft::cluster

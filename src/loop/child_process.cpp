// SPDX-License-Identifier: Apache-2.0
#include "loop/child_process.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "loop/fd_watcher.h"

namespace weft::loop {
namespace {

// Our end of one output stream.
struct Stream {
  const char* name = "";
  UniqueFd fd{};
  std::optional<FdWatcher> watcher{};  // gone before the descriptor it watches

  void close() {
    watcher.reset();
    fd.reset();
  }
};

}  // namespace

class ChildProcess::Running {
 public:
  Running(std::string command, Done done, std::size_t most_output)
      : command_(std::move(command)), done_(std::move(done)), most_output_(most_output) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (!process_.pidfd) return;
    kill();
    ended_.reset();
    [[maybe_unused]] const auto reaped = wait_for(process_);
  }

  Result<> start(Loop& loop, ProcessSpec spec, std::string_view input) {
    spec.new_session = true;
    WEFT_ASSIGN(PipedProcess piped, start_piped(std::move(spec), input));
    process_ = std::move(piped.process);
    out_.fd = std::move(piped.out);
    err_.fd = std::move(piped.err);
    WEFT_TRY(watch(loop, out_, output_.out));
    WEFT_TRY(watch(loop, err_, output_.err));
    WEFT_ASSIGN(ended_, FdWatcher::readable(loop, process_.pidfd.get(), [this] { finish(); }));
    return {};
  }

  pid_t pid() const { return process_.pid; }

  // Its process id is its group's, and stays so until it is reaped.
  void kill() const {
    if (process_.pidfd) ::kill(-process_.pid, SIGKILL);
  }

 private:
  Result<> watch(Loop& loop, Stream& stream, std::string& text) {
    WEFT_ASSIGN(stream.watcher, FdWatcher::readable(loop, stream.fd.get(), [this, &stream, &text] {
                  if (!read_some(stream, text)) stream.close();
                }));
    return {};
  }

  // False at the end of the stream, and of what may be printed.
  bool read_some(Stream& stream, std::string& text) {
    std::array<char, 65536> buffer;
    const ssize_t length = ::read(stream.fd.get(), buffer.data(), buffer.size());
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    text.append(buffer.data(), static_cast<std::size_t>(length));
    if (text.size() <= most_output_) return length > 0;
    refused_ = Error{command_ + " printed more than " + std::to_string(most_output_) +
                     " bytes to " + stream.name};
    kill();
    return false;
  }

  // What it printed last; its end may be told before that.
  void read_rest(Stream& stream, std::string& text) {
    while (stream.fd) {
      const std::size_t before = text.size();
      if (!read_some(stream, text)) stream.close();
      if (text.size() == before) return;
    }
  }

  // `done` may destroy this.
  void finish() {
    kill();  // what is left of its group
    read_rest(out_, output_.out);
    read_rest(err_, output_.err);
    out_.close();
    err_.close();
    ended_.reset();
    auto status = wait_for(process_);
    process_ = {};
    const Done done = std::move(done_);
    if (refused_) return done(Failure(*std::move(refused_)));
    if (!status) return done(Failure(std::move(status.error())));
    output_.status = *status;
    done(std::move(output_));
  }

  std::string command_;
  Done done_;
  std::size_t most_output_;
  Process process_{};  // without pidfd: reaped
  std::optional<FdWatcher> ended_{};
  Output output_{};
  std::optional<Error> refused_{};
  Stream out_{"stdout", {}, {}};
  Stream err_{"stderr", {}, {}};
};

ChildProcess::ChildProcess(std::unique_ptr<Running> running) : running_(std::move(running)) {}
ChildProcess::ChildProcess(ChildProcess&&) noexcept = default;
ChildProcess& ChildProcess::operator=(ChildProcess&&) noexcept = default;
ChildProcess::~ChildProcess() = default;

Result<ChildProcess> ChildProcess::start(Loop& loop, ProcessSpec spec, std::string_view input,
                                         Done done, std::size_t most_output) {
  std::string command = spec.argv.empty() ? std::string() : spec.argv.front();
  auto running = std::make_unique<Running>(std::move(command), std::move(done), most_output);
  WEFT_TRY(running->start(loop, std::move(spec), input));
  return ChildProcess(std::move(running));
}

pid_t ChildProcess::pid() const { return running_->pid(); }

void ChildProcess::kill() { running_->kill(); }

}  // namespace weft::loop

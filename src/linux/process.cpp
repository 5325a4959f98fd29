// SPDX-License-Identifier: Apache-2.0
#include "linux/process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "linux/file.h"
#include "linux/process_child.h"

namespace weft {
namespace {

using process::Child;
using process::Report;
using process::Step;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr int kSignalled = 128;  // a shell's status for "ended by a signal" starts here

std::string_view path_of(const std::vector<std::string>& env) {
  constexpr std::string_view kName = "PATH=";
  for (const std::string& variable : env) {
    if (variable.starts_with(kName)) return std::string_view(variable).substr(kName.size());
  }
  return kDefaultPath;
}

std::vector<std::string> programs_for(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) return {name};
  std::vector<std::string> programs;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    const std::string_view directory = path.substr(start, end - start);
    programs.push_back(std::string(directory.empty() ? "." : directory) + "/" + name);
    start = end + 1;
  }
  return programs;
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string mode_option(const std::string& directory) {
  struct stat status {};
  const mode_t mode = ::stat(directory.c_str(), &status) == 0 ? status.st_mode & 07777 : 0755;
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "mode=%o", mode);
  return text.data();
}

Result<UniqueFd> open_readable(const std::string& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd) return fail_errno(path);
  return fd;
}

Result<UniqueFd> open_process(pid_t pid) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) return fail_errno("process " + std::to_string(pid));
  return fd;
}

Result<> check(const ProcessSpec& spec) {
  if (spec.argv.empty() || spec.argv[0].empty()) return fail("start process: no command");
  if (spec.new_pid_namespace && !spec.new_mount_namespace) {
    return fail("start process: a new pid namespace needs a new mount namespace for its /proc");
  }
  return {};
}

Result<Child> prepare(const ProcessSpec& spec) {
  WEFT_TRY(check(spec));
  Child child;
  child.spec = &spec;
  child.argv = pointers_to(spec.argv);
  child.env = pointers_to(spec.env);
  child.programs = programs_for(spec.argv[0], path_of(spec.env));
  for (const std::string& directory : spec.tmpfs)
    child.tmpfs_options.push_back(mode_option(directory));
  if (!spec.netns.empty()) {
    WEFT_ASSIGN(child.netns, open_readable(spec.netns, O_RDONLY), "network namespace");
  }
  if (spec.namespaces_of != 0) {
    WEFT_ASSIGN(child.namespaces_of, open_process(spec.namespaces_of));
    WEFT_ASSIGN(child.root_of,
                open_readable("/proc/" + std::to_string(spec.namespaces_of) + "/root",
                              O_PATH | O_DIRECTORY));
  }
  return child;
}

// Children of this thread are made in another process's pid namespace while this stands (a pid
// namespace cannot be entered later: man 7 pid_namespaces).
class ChildrenPidNamespace {
 public:
  static Result<ChildrenPidNamespace> enter(const UniqueFd& pidfd) {
    ChildrenPidNamespace entered;
    if (!pidfd) return entered;
    WEFT_ASSIGN(UniqueFd own, open_readable("/proc/thread-self/ns/pid", O_RDONLY));
    if (::setns(pidfd.get(), CLONE_NEWPID) != 0) return fail_errno("enter pid namespace");
    entered.own_ = std::move(own);
    return entered;
  }
  ChildrenPidNamespace(ChildrenPidNamespace&&) = default;
  ChildrenPidNamespace& operator=(ChildrenPidNamespace&&) = delete;
  ~ChildrenPidNamespace() {
    if (own_ && ::setns(own_.get(), CLONE_NEWPID) != 0) std::abort();
  }

 private:
  ChildrenPidNamespace() = default;
  UniqueFd own_{};
};

std::uint64_t clone_flags(const ProcessSpec& spec) {
  std::uint64_t flags = CLONE_PIDFD;
  if (spec.new_mount_namespace) flags |= CLONE_NEWNS;
  if (spec.new_pid_namespace) flags |= CLONE_NEWPID;
  if (!spec.hostname.empty()) flags |= CLONE_NEWUTS;
  if (!spec.cgroup.empty()) flags |= CLONE_INTO_CGROUP;
  return flags;
}

// Every signal is blocked across the clone: the child undoes our handlers before one can run in it.
Result<Process> clone_child(const Child& child, const UniqueFd& cgroup) {
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = clone_flags(*child.spec);
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (cgroup) arguments.cgroup = static_cast<std::uint64_t>(cgroup.get());

  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  const int error = errno;
  if (pid == 0) process::run_child(child);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);

  if (pid < 0) return fail_errno("start " + child.spec->argv[0], error);
  return Process{static_cast<pid_t>(pid), UniqueFd(pidfd)};
}

std::string describe(const Report& report, const ProcessSpec& spec) {
  switch (report.step) {
    case Step::kSession:
      return "new session";
    case Step::kNamespaces:
      return "enter namespaces of process " + std::to_string(spec.namespaces_of);
    case Step::kNetns:
      return "enter network namespace " + spec.netns;
    case Step::kPrivateMounts:
      return "make mounts private";
    case Step::kProc:
      return "mount /proc";
    case Step::kTmpfs:
      return "mount tmpfs on " + spec.tmpfs[report.index];
    case Step::kHostname:
      return "set hostname " + spec.hostname;
    case Step::kStdio:
      return "connect standard input and output";
    case Step::kWorkingDirectory:
      return "change to " + spec.working_directory;
    case Step::kExec:
      return "exec " + spec.argv[0];
  }
  return "start " + spec.argv[0];
}

// Nothing to read: execve closed the pipe, the program runs.
Result<> await_exec(const UniqueFd& reports, const Process& child, const ProcessSpec& spec) {
  Report report;
  ssize_t length = 0;
  do {
    length = ::read(reports.get(), &report, sizeof report);
  } while (length < 0 && errno == EINTR);
  if (length == 0) return {};
  [[maybe_unused]] const auto reaped = wait_for(child);
  if (length != static_cast<ssize_t>(sizeof report))
    return fail("start " + spec.argv[0] + ": no word from it");
  return fail_errno(describe(report, spec), report.error);
}

Result<std::array<UniqueFd, 2>> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  return std::array<UniqueFd, 2>{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<UniqueFd> memory_file(std::string_view content) {
  UniqueFd fd(::memfd_create("input", MFD_CLOEXEC));
  if (!fd) return fail_errno("memfd_create");
  WEFT_TRY(write_all(fd.get(), content, "input"));
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

// Reads what is there; the descriptor is closed at the end of the file.
Result<> read_some(UniqueFd& fd, std::string& text) {
  std::array<char, 65536> buffer;
  const ssize_t length = ::read(fd.get(), buffer.data(), buffer.size());
  if (length < 0) return errno == EINTR ? Result<>{} : Result<>(fail_errno("read output"));
  if (length == 0) fd.reset();
  text.append(buffer.data(), static_cast<std::size_t>(length));
  return {};
}

Result<> collect(UniqueFd& out, UniqueFd& err, Output& output) {
  while (out || err) {
    std::array<pollfd, 2> ready = {pollfd{out.get(), POLLIN, 0}, pollfd{err.get(), POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return fail_errno("poll");
    if (ready[0].revents != 0) WEFT_TRY(read_some(out, output.out));
    if (ready[1].revents != 0) WEFT_TRY(read_some(err, output.err));
  }
  return {};
}

}  // namespace

Result<Process> start_process(const ProcessSpec& spec) {
  WEFT_ASSIGN(Child child, prepare(spec));
  UniqueFd cgroup;
  if (!spec.cgroup.empty()) {
    WEFT_ASSIGN(cgroup, open_readable(spec.cgroup, O_PATH | O_DIRECTORY), "cgroup");
  }
  WEFT_ASSIGN(auto reports, make_pipe());
  child.report_fd = reports[1].get();
  WEFT_ASSIGN(const auto entered, ChildrenPidNamespace::enter(child.namespaces_of));
  WEFT_ASSIGN(Process process, clone_child(child, cgroup));
  reports[1].reset();
  WEFT_TRY(await_exec(reports[0], process, spec));
  return process;
}

Result<int> wait_for(const Process& process) {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(process.pidfd.get()), &info, WEXITED) != 0) {
    pollfd ended{process.pidfd.get(), POLLIN, 0};
    if (errno == EAGAIN)  // a pidfd that was made non-blocking, as event loops do
      ::poll(&ended, 1, -1);
    else if (errno != EINTR)
      return fail_errno("wait for process " + std::to_string(process.pid));
  }
  return info.si_code == CLD_EXITED ? info.si_status : kSignalled + info.si_status;
}

Result<std::optional<int>> wait_for(const Process& process, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd ended{process.pidfd.get(), POLLIN, 0};
    const int ready = ::poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno != EINTR) return fail_errno("poll process");
    if (ready == 0) return std::optional<int>{};
    if (ready > 0) {
      WEFT_ASSIGN(const int status, wait_for(process));
      return std::optional<int>(status);
    }
  }
}

Result<PipedProcess> start_piped(ProcessSpec spec, std::string_view input) {
  WEFT_ASSIGN(const UniqueFd in, memory_file(input));
  WEFT_ASSIGN(auto out, make_pipe());
  WEFT_ASSIGN(auto err, make_pipe());
  spec.stdin_fd = in.get();
  spec.stdout_fd = out[1].get();
  spec.stderr_fd = err[1].get();
  WEFT_ASSIGN(Process process, start_process(spec));
  return PipedProcess{std::move(process), std::move(out[0]), std::move(err[0])};
}

Result<Output> run_process(ProcessSpec spec, std::string_view input) {
  WEFT_ASSIGN(PipedProcess piped, start_piped(std::move(spec), input));
  Output output;
  WEFT_TRY(collect(piped.out, piped.err, output));
  WEFT_ASSIGN(output.status, wait_for(piped.process));
  return output;
}

}  // namespace weft

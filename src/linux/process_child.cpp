// SPDX-License-Identifier: Apache-2.0
#include "linux/process_child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace weft::process {
namespace {

constexpr int kFirstFreeFd = 3;
constexpr int kExitNotStarted = 127;

[[noreturn]] void give_up(int report_fd, Step step, unsigned index = 0) {
  const Report report{step, errno, index};
  [[maybe_unused]] const ssize_t written = ::write(report_fd, &report, sizeof report);
  ::_exit(kExitNotStarted);
}

// Signals were blocked across the clone, so that no handler of the parent's runs in the child.
void reset_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// A mount namespace is entered at its own root, which is not that process's where it lives in a
// chroot.
void enter_namespaces(const Child& child, int report_fd) {
  if (child.namespaces_of &&
      (::setns(child.namespaces_of.get(), CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET) != 0 ||
       ::fchdir(child.root_of.get()) != 0 || ::chroot(".") != 0)) {
    give_up(report_fd, Step::kNamespaces);
  }
  if (child.netns && ::setns(child.netns.get(), CLONE_NEWNET) != 0)
    give_up(report_fd, Step::kNetns);
}

void mount_private(const Child& child, int report_fd) {
  const ProcessSpec& spec = *child.spec;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    give_up(report_fd, Step::kPrivateMounts);
  }
  if (spec.new_pid_namespace &&
      ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    give_up(report_fd, Step::kProc);
  }
  for (unsigned i = 0; i < spec.tmpfs.size(); ++i) {
    if (::mount("tmpfs", spec.tmpfs[i].c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
                child.tmpfs_options[i].c_str()) != 0) {
      give_up(report_fd, Step::kTmpfs, i);
    }
  }
}

// The sources are first moved out of the way: one may be another's destination.
void connect_stdio(const ProcessSpec& spec, int report_fd) {
  const std::array<int, 3> given = {spec.stdin_fd, spec.stdout_fd, spec.stderr_fd};
  std::array<int, 3> source{};
  for (std::size_t i = 0; i < given.size(); ++i) {
    const int opened = given[i] < 0 ? ::open("/dev/null", O_RDWR | O_CLOEXEC) : given[i];
    source[i] = ::fcntl(opened, F_DUPFD_CLOEXEC, kFirstFreeFd);
    if (source[i] < 0) give_up(report_fd, Step::kStdio);
  }
  for (int i = 0; i < kFirstFreeFd; ++i) {
    if (::dup2(source[static_cast<std::size_t>(i)], i) < 0) give_up(report_fd, Step::kStdio);
  }
}

// As execvp(3): the next directory of PATH where there is no such file; "permission denied" is told
// only when none of them has one that may be executed.
void execute(const Child& child) {
  int error = ENOENT;
  for (const std::string& program : child.programs) {
    ::execve(program.c_str(), child.argv.data(), child.env.data());
    if (errno == EACCES) error = EACCES;
    if (errno != EACCES && errno != ENOENT && errno != ENOTDIR) return;
  }
  errno = error;
}

}  // namespace

void run_child(const Child& child) {
  const ProcessSpec& spec = *child.spec;
  reset_signals();
  const int report_fd = ::fcntl(child.report_fd, F_DUPFD_CLOEXEC, kFirstFreeFd);
  if (report_fd < 0) give_up(child.report_fd, Step::kStdio);
  if (spec.new_session && ::setsid() < 0) give_up(report_fd, Step::kSession);
  enter_namespaces(child, report_fd);
  if (spec.new_mount_namespace) mount_private(child, report_fd);
  if (!spec.hostname.empty() && ::sethostname(spec.hostname.data(), spec.hostname.size()) != 0) {
    give_up(report_fd, Step::kHostname);
  }
  connect_stdio(spec, report_fd);
  if (!spec.working_directory.empty() && ::chdir(spec.working_directory.c_str()) != 0) {
    give_up(report_fd, Step::kWorkingDirectory);
  }
  // On exec, not now: the report still has to get out.
  if (::syscall(SYS_close_range, kFirstFreeFd, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    give_up(report_fd, Step::kStdio);
  }
  execute(child);
  give_up(report_fd, Step::kExec);
}

}  // namespace weft::process

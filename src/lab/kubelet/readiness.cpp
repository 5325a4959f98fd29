// SPDX-License-Identifier: Apache-2.0
#include "lab/kubelet/readiness.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "linux/netns.h"
#include "linux/process.h"
#include "traffic/socket_address.h"

namespace weft::lab {
namespace {

using std::chrono::milliseconds;

bool is_ready_for(int fd, short events, milliseconds timeout) {
  pollfd waited{fd, events, 0};
  return ::poll(&waited, 1, static_cast<int>(timeout.count())) == 1;
}

// Connected from `netns` within the timeout, or nothing.
UniqueFd connect_from(const std::string& netns, const IpAddress& ip, std::uint16_t port,
                      milliseconds timeout) {
  const auto opened = Netns::open(netns);
  if (!opened) return {};
  const auto inside = NetnsGuard::enter(*opened);
  if (!inside) return {};
  const traffic::SocketAddress address(ip, port);
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return {};
  if (::connect(fd.get(), address.get(), address.size()) != 0 && errno != EINPROGRESS) return {};
  if (!is_ready_for(fd.get(), POLLOUT, timeout)) return {};
  return address.error_of(fd.get()) == 0 ? std::move(fd) : UniqueFd();
}

// "HTTP/1.1 204 No Content": 200 to 399 is success, as the kubelet has it.
bool is_http_success(std::string_view response) {
  const std::size_t space = response.find(' ');
  if (!response.starts_with("HTTP/") || space == std::string_view::npos) return false;
  const std::string_view code = response.substr(space + 1, 3);
  return code.size() == 3 && (code[0] == '2' || code[0] == '3');
}

bool http_answers(const UniqueFd& fd, const std::string& host, const Probe& probe) {
  const std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: weft-probe\r\nConnection: close\r\n\r\n",
      probe.path, host);
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return false;
  }
  if (!is_ready_for(fd.get(), POLLIN, probe.timeout)) return false;
  std::array<char, 64> start{};
  const ssize_t length = ::recv(fd.get(), start.data(), start.size(), 0);
  return length > 0 && is_http_success({start.data(), static_cast<std::size_t>(length)});
}

bool exec_succeeds(const PodRecord& record, const PodState& state, const Probe& probe,
                   const PodRecord::Command& command) {
  ProcessSpec spec;
  spec.argv = probe.command;
  spec.env = command.env;
  spec.namespaces_of = state.pid;
  spec.cgroup = record.cgroup;
  const auto process = start_process(spec);
  if (!process) return false;
  const auto status = wait_for(*process, probe.timeout);
  if (status && *status) return **status == 0;
  ::kill(process->pid, SIGKILL);
  [[maybe_unused]] const auto reaped = wait_for(*process);
  return false;
}

bool succeeds(const Lab& lab, const PodRecord& record, const PodState& state, const Probe& probe,
              const PodRecord::Command& command, const std::vector<IpAddress>& ips) {
  if (probe.kind == Probe::Kind::kExec) return exec_succeeds(record, state, probe, command);
  if (ips.empty()) return false;
  const UniqueFd fd = connect_from(named_netns_path(lab.names.node_netns(record.node)), ips.front(),
                                   probe.port, probe.timeout);
  if (!fd) return false;
  return probe.kind == Probe::Kind::kTcpSocket || http_answers(fd, ips.front().to_string(), probe);
}

const PodRecord::Command* command_of(const PodRecord& record, const std::string& container) {
  for (const PodRecord::Command& command : record.commands) {
    if (!command.init && command.name == container) return &command;
  }
  return nullptr;
}

}  // namespace

bool is_ready_now(const Lab& lab, const PodRecord& record, const PodState& state,
                  const PodSpec& spec, const std::vector<IpAddress>& ips) {
  if (!state.running || state.initializing) return false;
  for (const Container& container : spec.containers) {
    if (!container.readiness) continue;
    const PodRecord::Command* command = command_of(record, container.name);
    if (command == nullptr || !succeeds(lab, record, state, *container.readiness, *command, ips)) {
      return false;
    }
  }
  return true;
}

}  // namespace weft::lab

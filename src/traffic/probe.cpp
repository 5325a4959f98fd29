// SPDX-License-Identifier: Apache-2.0
#include "traffic/probe.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <optional>

#include "linux/netns.h"
#include "traffic/socket_address.h"

namespace weft::traffic {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t kAtOnce = 256;     // well below the usual limit of 1,024 open files
constexpr Milliseconds kResend = 250ms;  // of a datagram that got no answer

class RunningProbe {
 public:
  RunningProbe(const Probe& probe, Outcome& outcome) : probe_(probe), outcome_(outcome) {}

  // In the probe's namespace.
  void start(Clock::time_point now) {
    start_ = now;
    const bool tcp = probe_.protocol == model::Protocol::kTcp;
    const SocketAddress address(probe_.address, probe_.port);
    fd_.reset(::socket(address.family(),
                       (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_) return fail_with(errno);
    if (::connect(fd_.get(), address.get(), address.size()) != 0 && errno != EINPROGRESS) {
      return fail_with(errno);
    }
    connected_ = !tcp;
    if (!tcp) send_datagram(now);
  }

  bool is_done() const { return done_; }
  int fd() const { return fd_.get(); }
  short awaited() const { return connected_ ? POLLIN : POLLOUT; }

  void on_ready() {
    if (const int error = SocketAddress::error_of(fd_.get()); error != 0) return fail_with(error);
    if (!connected_) {
      connected_ = true;
      return;
    }
    std::array<char, 256> buffer;
    const ssize_t length = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (length < 0) return errno == EAGAIN ? void() : fail_with(errno);
    text_.append(buffer.data(), static_cast<std::size_t>(length));
    if (const std::size_t end = text_.find('\n'); end != std::string::npos)
      return answered(text_.substr(0, end));
    if (length == 0) fail_with(ECONNRESET);
  }

  void on_tick(Clock::time_point now, Milliseconds timeout) {
    if (now - start_ >= timeout) return finish(Outcome::Kind::kTimedOut);
    if (probe_.protocol != model::Protocol::kTcp && now >= resend_at_) send_datagram(now);
  }

 private:
  void send_datagram(Clock::time_point now) {
    resend_at_ = now + kResend;
    if (::send(fd_.get(), "?", 1, MSG_NOSIGNAL) >= 0 || errno == EAGAIN) return;
    // What is rejected on its way out of this machine is EPERM, and how it was is told beside.
    const int error = errno;
    const int told = SocketAddress::error_of(fd_.get());
    fail_with(told != 0 ? told : error);
  }

  void answered(const std::string& line) {
    const std::size_t space = line.find(' ');
    outcome_.server = line.substr(0, space);
    outcome_.seen = space == std::string::npos ? std::string() : line.substr(space + 1);
    finish(Outcome::Kind::kAnswered);
  }

  void fail_with(int error) {
    outcome_.error = error;
    finish(error == ECONNREFUSED ? Outcome::Kind::kRefused : Outcome::Kind::kFailed);
  }

  void finish(Outcome::Kind kind) {
    outcome_.kind = kind;
    outcome_.took = std::chrono::duration_cast<Milliseconds>(Clock::now() - start_);
    outcome_.retransmissions = retransmissions();
    done_ = true;
    fd_.reset();
  }

  std::uint32_t retransmissions() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    const bool known = probe_.protocol == model::Protocol::kTcp && fd_ &&
                       ::getsockopt(fd_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
    return known ? info.tcpi_total_retrans : 0;
  }

  const Probe& probe_;
  Outcome& outcome_;
  UniqueFd fd_{};
  bool connected_ = false;
  bool done_ = false;
  std::string text_{};
  Clock::time_point start_{};
  Clock::time_point resend_at_{};
};

Result<> start_in_namespace(RunningProbe& running, const std::string& netns,
                            std::map<std::string, Netns>& opened) {
  auto found = opened.find(netns);
  if (found == opened.end()) {
    WEFT_ASSIGN(Netns namespace_file, Netns::open(netns));
    found = opened.emplace(netns, std::move(namespace_file)).first;
  }
  WEFT_ASSIGN(const auto inside, NetnsGuard::enter(found->second));
  running.start(Clock::now());
  return {};
}

Result<> wait_for_some(std::vector<RunningProbe>& running, Milliseconds timeout) {
  std::vector<pollfd> fds;
  for (const RunningProbe& probe : running) fds.push_back({probe.fd(), probe.awaited(), 0});
  constexpr int kTick = 10;  // milliseconds
  if (::poll(fds.data(), fds.size(), kTick) < 0 && errno != EINTR) return fail_errno("poll");
  const auto now = Clock::now();
  for (std::size_t i = 0; i < running.size(); ++i) {
    if (fds[i].revents != 0) running[i].on_ready();
    if (!running[i].is_done()) running[i].on_tick(now, timeout);
  }
  return {};
}

}  // namespace

Result<std::vector<Outcome>> run(const std::vector<Probe>& probes, Milliseconds timeout,
                                 const std::function<Result<>()>& go_on) {
  std::vector<Outcome> outcomes(probes.size());
  std::map<std::string, Netns> opened;
  std::vector<RunningProbe> running;
  std::size_t next = 0;
  while (next < probes.size() || !running.empty()) {
    if (go_on) WEFT_TRY(go_on());
    for (; next < probes.size() && running.size() < kAtOnce; ++next) {
      RunningProbe probe(probes[next], outcomes[next]);
      WEFT_TRY(start_in_namespace(probe, probes[next].netns, opened));
      if (!probe.is_done()) running.push_back(std::move(probe));
    }
    if (!running.empty()) WEFT_TRY(wait_for_some(running, timeout));
    std::vector<RunningProbe> left;
    for (RunningProbe& probe : running) {
      if (!probe.is_done()) left.push_back(std::move(probe));
    }
    running = std::move(left);
  }
  return outcomes;
}

}  // namespace weft::traffic

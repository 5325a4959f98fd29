// SPDX-License-Identifier: Apache-2.0
//
// A netlink socket: the one place that sends, waits for acknowledgements, retries EINTR and
// interrupted dumps (NLM_F_DUMP_INTR), matches sequence numbers and reads the kernel's extended
// ack, so that an error says what the kernel said: "RTM_NEWLINK: File exists (…ext-ack text…)".
//
// A socket belongs for life to the network namespace it was opened in, whatever namespace the
// thread is in later. Blocking, one thread; a Listener is the non-blocking one for the event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "linux/netlink/message.h"

namespace weft {
class Netns;
}

namespace weft::netlink {

// One request of a batch that the kernel refused.
struct Refusal {
  std::size_t index = 0;  // of the message in the batch
  Error error{};
};

class Socket {
 public:
  // `protocol`: NETLINK_ROUTE, NETLINK_NETFILTER, …; in the thread's namespace, or in `netns`.
  static Result<Socket> open(int protocol);
  static Result<Socket> open(int protocol, const Netns& netns);

  // Sends the whole batch in one sendto (rtnetlink handles each request on its own, in order, and
  // goes on after a failure) and waits for every acknowledgement: adds NLM_F_ACK to each message.
  // Returns the refused ones, in order; an Error only if the socket itself fails.
  Result<std::vector<Refusal>> execute(Batch& batch);

  // execute(), where the first refusal is the error.
  Result<> run(Batch& batch);

  // Sends an nfnetlink batch (already framed by NFNL_MSG_BATCH_BEGIN/END), which the kernel takes
  // whole or not at all, in one sendto; waits for the acknowledgement of the message that asks for
  // one (NLM_F_ACK, by convention the last before END) or the refusals. Empty = committed.
  Result<std::vector<Refusal>> commit(Batch& batch);

  // Sends the batch's single request with NLM_F_DUMP and calls `each` for every message of the
  // answer. `restart` is called before a dump that was interrupted is begun anew: forget what came.
  // For one that is read part by part see dump.h.
  Result<> dump(Batch& request, const std::function<void(const MessageView&)>& each,
                const std::function<void()>& restart);

  // Sends the batch's single request (RTM_GETLINK, …) and calls `each` for its answers.
  Result<> get(Batch& request, const std::function<void(const MessageView&)>& each);

  // The namespace it belongs to.
  Result<Netns> netns() const;

  int fd() const { return fd_.get(); }
  std::uint32_t port_id() const { return port_id_; }  // what the kernel's notifications call us

 private:
  friend class Dump;

  // Gives the messages their sequence numbers; the first one's.
  std::uint32_t number(Batch& batch);
  Result<> send(Bytes bytes);
  // Reads one datagram; false when nothing is there. The kernel works in sendto, so that after it
  // all answers are queued (of a dump the first part: it makes the next as we read).
  Result<bool> receive(const std::function<void(const MessageView&)>& each);
  Result<> execute_part(const Batch& batch, std::size_t first, std::size_t last,
                        std::vector<Refusal>& refusals);

  UniqueFd fd_{};
  int protocol_ = 0;
  std::uint32_t port_id_ = 0;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> buffer_{};
};

// Multicast notifications, non-blocking. Changes that `own` port ids made are filtered out in the
// kernel (a classic BPF filter on nlmsg_pid), so our own large batches cost and overflow nothing.
class Listener {
 public:
  static Result<Listener> open(int protocol, const Netns& netns,
                               std::span<const std::uint32_t> groups,
                               std::span<const std::uint32_t> own);

  // Reads what is there, or the first of very much. `lost` in the result: the kernel dropped some
  // (ENOBUFS), so anything may have changed, and went on dropping until nothing is left to be read.
  struct Received {
    bool lost = false;
    bool all = false;  // nothing is left
  };
  Result<Received> receive(const std::function<void(const MessageView&)>& each);

  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_{};
  std::vector<std::uint8_t> buffer_{};
};

}  // namespace weft::netlink

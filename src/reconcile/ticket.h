// SPDX-License-Identifier: Apache-2.0
//
// A Ticket answers "is it in the kernel yet?" of one or several merges. It says yes once every
// entry that they asked for is written as they asked (or was asked otherwise since: then there is
// nothing left to wait for), and says why not while an entry is refused. A refusal may pass: ask
// again after each run of the Reconciler.
#pragma once

#include <cstdint>

namespace weft::reconcile {

// 0: nobody asks, and nothing is noted.
using TicketId = std::uint64_t;

class Tickets {
 public:
  virtual ~Tickets() = default;
  virtual void forget(TicketId ticket) = 0;
};

// Open as long as it lives. It must not outlive the Reconciler that gave it.
class Ticket {
 public:
  Ticket() = default;  // of nothing
  Ticket(Tickets& tickets, TicketId id) : tickets_(&tickets), id_(id) {}
  Ticket(Ticket&& other) noexcept : tickets_(other.tickets_), id_(other.id_) { other.id_ = 0; }
  Ticket& operator=(Ticket&& other) noexcept {
    if (this == &other) return *this;
    close();
    tickets_ = other.tickets_;
    id_ = other.id_;
    other.id_ = 0;
    return *this;
  }
  ~Ticket() { close(); }

  TicketId id() const { return id_; }
  explicit operator bool() const { return id_ != 0; }

 private:
  void close() {
    if (id_ != 0) tickets_->forget(id_);
    id_ = 0;
  }

  Tickets* tickets_ = nullptr;
  TicketId id_ = 0;
};

}  // namespace weft::reconcile

// SPDX-License-Identifier: Apache-2.0
//
// The netlink encoder and parser: rtnetlink, nfnetlink (nf_tables, ctnetlink) and generic netlink
// all speak these bytes (man 7 netlink; include/uapi/linux/netlink.h). Several requests share one
// buffer (a Batch), so that they cost one sendto. Types are in the method names: u32 is host order,
// be32 is network order, as each attribute's definition in the uapi header demands.
//
//   Batch batch;
//   Message add = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
//   add.header(ifinfomsg{...}).text(IFLA_IFNAME, "cni0");
//   add.nest(IFLA_LINKINFO, [&] { add.text(IFLA_INFO_KIND, "bridge"); });
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <iterator>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace weft::netlink {

class Batch;

// Writes one message at the end of a Batch. Only the batch's last message may be written to; a
// handle is void once the next message is added.
class Message {
 public:
  // The family's fixed header (ifinfomsg, rtmsg, nfgenmsg, …); first, and once.
  template <class Header>
  Message& header(const Header& header) {
    return append(bytes_of(header));
  }

  Message& flag(std::uint16_t type) { return attribute(type, {}); }
  Message& u8(std::uint16_t type, std::uint8_t value) { return attribute(type, bytes_of(value)); }
  Message& u16(std::uint16_t type, std::uint16_t value) { return attribute(type, bytes_of(value)); }
  Message& u32(std::uint16_t type, std::uint32_t value) { return attribute(type, bytes_of(value)); }
  Message& u64(std::uint16_t type, std::uint64_t value) { return attribute(type, bytes_of(value)); }
  Message& be16(std::uint16_t type, std::uint16_t host) {
    return attribute(type, bytes_of(to_be(host)));
  }
  Message& be32(std::uint16_t type, std::uint32_t host) {
    return attribute(type, bytes_of(to_be(host)));
  }
  Message& be64(std::uint16_t type, std::uint64_t host) {
    return attribute(type, bytes_of(__builtin_bswap64(host)));
  }
  Message& text(std::uint16_t type, std::string_view value);  // with its terminating zero byte
  Message& address(std::uint16_t type, const IpAddress& value) {
    return attribute(type, value.bytes());
  }
  Message& mac(std::uint16_t type, const MacAddress& value) { return attribute(type, value.bytes); }
  Message& attribute(std::uint16_t type, Bytes payload);

  // Attributes written by `fill` go inside one attribute of `type`, flagged NLA_F_NESTED.
  template <class Fill>
  Message& nest(std::uint16_t type, Fill fill) {
    const std::size_t start = open_nest(type);
    fill();
    close_nest(start);
    return *this;
  }

  // For payloads that are not attributes (a struct inside a nest, such as VETH_INFO_PEER's
  // ifinfomsg): the bytes, padded to four.
  Message& append(Bytes bytes);

  // For a list that is cut where a message or attribute grows too large: nests by hand, and the
  // bytes this message has so far. A nest holds at most 65,535 bytes.
  std::size_t open_nest(std::uint16_t type);
  void close_nest(std::size_t start);
  std::size_t size() const;
  // Overwrites two bytes at `offset` (a size()): the length of a struct that is followed by what it
  // counts (rtnexthop).
  void set_u16(std::size_t offset, std::uint16_t value);

 private:
  friend class Batch;
  Message(Batch& batch, std::size_t start) : batch_(&batch), start_(start) {}

  Message& sized();  // writes the length so far into the header

  Batch* batch_;
  std::size_t start_;
};

// Requests that are sent together. Sequence numbers are the socket's to give.
class Batch {
 public:
  // NLM_F_REQUEST is always set. `flags` of a request that wants an acknowledgement include
  // NLM_F_ACK.
  Message add(std::uint16_t type, std::uint16_t flags);

  bool empty() const { return starts_.empty(); }
  std::size_t count() const { return starts_.size(); }  // messages
  std::size_t size() const { return buffer_.size(); }   // bytes
  Bytes bytes() const { return buffer_; }
  Bytes bytes(std::size_t first, std::size_t last) const;  // of the messages [first, last)
  nlmsghdr& header(std::size_t index);                     // of the index-th message
  const nlmsghdr& header(std::size_t index) const;
  void reserve(std::size_t bytes) { buffer_.reserve(bytes); }
  void clear();

 private:
  friend class Message;
  std::vector<std::uint8_t> buffer_{};
  std::vector<std::size_t> starts_{};  // offset of each message
};

// One attribute as received. Reads of a payload that is too short give zero bytes for the rest.
class Attribute {
 public:
  Attribute(std::uint16_t type, Bytes payload) : type_(type), payload_(payload) {}

  std::uint16_t type() const { return type_ & NLA_TYPE_MASK; }
  Bytes payload() const { return payload_; }
  std::uint8_t u8() const { return load<std::uint8_t>(payload_); }
  std::uint16_t u16() const { return load<std::uint16_t>(payload_); }
  std::uint32_t u32() const { return load<std::uint32_t>(payload_); }
  std::uint64_t u64() const { return load<std::uint64_t>(payload_); }
  std::uint16_t be16() const { return from_be(Be16{u16()}); }
  std::uint32_t be32() const { return from_be(Be32{u32()}); }
  std::uint64_t be64() const { return __builtin_bswap64(u64()); }
  std::string_view text() const;  // up to the first zero byte
  IpAddress address() const;      // 4 or 16 bytes; anything else gives 0.0.0.0
  MacAddress mac() const { return load<MacAddress>(payload_); }

 private:
  std::uint16_t type_;
  Bytes payload_;
};

// The attributes in a span, for range-for. Stops at the first malformed one (never reads past the
// end).
class Attributes {
 public:
  explicit Attributes(Bytes bytes) : bytes_(bytes) {}

  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = Attribute;
    explicit Iterator(Bytes rest) : rest_(rest) {}
    Attribute operator*() const;
    Iterator& operator++();
    Iterator operator++(int) {
      Iterator old = *this;
      ++*this;
      return old;
    }
    bool operator==(std::default_sentinel_t) const;

   private:
    Bytes rest_;
  };

  Iterator begin() const { return Iterator(bytes_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  Bytes bytes_;
};

inline Attributes nested(const Attribute& attribute) { return Attributes(attribute.payload()); }

// One received message: its nlmsghdr and what follows.
class MessageView {
 public:
  explicit MessageView(Bytes whole) : whole_(whole) {}  // `whole` starts at an nlmsghdr

  const nlmsghdr& header() const { return *reinterpret_cast<const nlmsghdr*>(whole_.data()); }
  std::uint16_t type() const { return header().nlmsg_type; }
  Bytes payload() const { return whole_.subspan(NLMSG_HDRLEN); }
  // The family's fixed header, and the attributes behind it.
  template <class Header>
  Header body() const {
    return load<Header>(payload());
  }
  template <class Header>
  Attributes attributes() const {
    const Bytes rest = payload();
    const std::size_t skip = NLMSG_ALIGN(sizeof(Header));
    return Attributes(rest.size() <= skip ? Bytes{} : rest.subspan(skip));
  }

 private:
  Bytes whole_;
};

}  // namespace weft::netlink

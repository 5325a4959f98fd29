// SPDX-License-Identifier: Apache-2.0
//
// An object that nobody changes any more, held by several at once: the source that told of it, the
// ClusterState, the note of what it was. To copy it is to copy a pointer; two are the same when
// they say the same.
#pragma once

#include <memory>
#include <utility>

namespace weft::model {

template <class T>
class Shared {
 public:
  Shared(T object) : object_(std::make_shared<const T>(std::move(object))) {}
  const T& operator*() const { return *object_; }
  const T* operator->() const { return object_.get(); }
  bool operator==(const Shared& other) const {
    return object_ == other.object_ || *object_ == *other.object_;
  }

 private:
  std::shared_ptr<const T> object_;
};

}  // namespace weft::model

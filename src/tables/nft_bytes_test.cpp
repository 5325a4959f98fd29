// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <numeric>

#include "tables/nft.h"

namespace weft::tables {
namespace {

std::vector<std::uint8_t> counting(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

TEST(NftBytesTest, AreTheSameHoweverManyThereAre) {
  for (std::size_t size = 0; size <= NftBytes::kCapacity; ++size) {
    const auto bytes = counting(size);
    NftBytes made{Bytes(bytes)};
    const NftBytes copied = made;
    NftBytes assigned{Bytes(counting(NftBytes::kCapacity))};
    assigned = copied;
    const NftBytes moved = std::move(made);
    for (const NftBytes& each : {copied, assigned, moved}) {
      EXPECT_EQ(each, NftBytes(bytes));
      EXPECT_EQ(std::vector(each.view().begin(), each.view().end()), bytes);
      EXPECT_EQ(each.empty(), size == 0);
    }
    if (size == 0) continue;
    EXPECT_FALSE(NftBytes(Bytes(bytes).first(size - 1)) == copied);
    auto other = bytes;
    other.back() = 0;
    EXPECT_FALSE(NftBytes(other) == copied);
  }
}

}  // namespace
}  // namespace weft::tables

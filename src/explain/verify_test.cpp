// SPDX-License-Identifier: Apache-2.0
#include "explain/verify.h"

#include <gtest/gtest.h>

namespace weft::explain {
namespace {

using reconcile::Drift;
using enum Drift::Problem;

const std::vector<Drift> kDrifts{
    {"route", "10.244.2.0/24", kMissing, "via 10.244.2.0 dev weft.1 onlink", ""},
    {"address", "cni0 10.9.9.9/32", kUnexpected, "", ""},
    {"neighbor", "weft.1 10.244.2.0", kDifferent, "lladdr 02:00:00:00:00:01",
     "lladdr 02:00:00:00:00:02"},
};

TEST(VerifyText, OneAlignedLineADifference) {
  EXPECT_EQ(to_text(kDrifts),
            "route     10.244.2.0/24      missing     want via 10.244.2.0 dev weft.1 onlink\n"
            "address   cni0 10.9.9.9/32   unexpected\n"
            "neighbor  weft.1 10.244.2.0  different   want lladdr 02:00:00:00:00:01, "
            "have lladdr 02:00:00:00:00:02\n");
}

TEST(VerifyText, NothingForNoDifference) { EXPECT_EQ(to_text({}), ""); }

TEST(VerifyText, ValuesOfSeveralLinesStandBelow) {
  EXPECT_EQ(to_text({{"file", "/etc/x", kDifferent, "one\ntwo", "one"}}),
            "file  /etc/x  different\n    want one\n    two\n    have one\n");
}

TEST(VerifyText, LongKeyDoesNotWidenEveryLine) {
  const std::string text = to_text(
      {{"nft", std::string(200, 'k'), kMissing, "", ""}, {"nft", "short", kMissing, "", ""}});
  EXPECT_LT(text.find("missing", text.find("short")) - text.find("short"), 70U);
}

TEST(VerifyJson, HasTheContractsFields) {
  EXPECT_EQ(to_json_array({kDrifts[0]}),
            R"([{"actual":"","desired":"via 10.244.2.0 dev weft.1 onlink",)"
            R"("key":"10.244.2.0/24","kind":"route","problem":"missing"}])");
  EXPECT_EQ(to_json_array({}), "[]");
}

TEST(VerifyJson, ReadsBackWhatItWrote) {
  const auto back = from_json_array(to_json_array(kDrifts));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_text(*back), to_text(kDrifts));
}

TEST(VerifyJson, BytesThatAreNotUtf8DoNotBreakIt) {
  EXPECT_TRUE(from_json_array(to_json_array({{"file", "\xff", kMissing, "\xfe\x80", ""}})));
}

TEST(VerifyJson, RefusesWhatIsNotADriftAndNamesTheField) {
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"{", "drift: not a JSON array"},
           {"{}", "drift: not a JSON array"},
           {"[1]", "drift: an entry is not an object"},
           {R"([{"key":"a"}])", "drift: field kind is not a string"},
           {R"([{"kind":"a","key":"b","problem":"odd","desired":"","actual":""}])",
            "drift: field problem: \"odd\" is none"}}) {
    const auto result = from_json_array(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().message, message);
  }
}

}  // namespace
}  // namespace weft::explain

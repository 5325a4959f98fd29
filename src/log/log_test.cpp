// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::log {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

TEST(LogFormat, FieldsFollowTheMessageInOrder) {
  EXPECT_EQ(format("agent", "synced", {{"services", 12}, {"node", "node1"}, {"ok", true}}),
            "component=agent msg=\"synced\" services=12 node=node1 ok=true");
}

TEST(LogFormat, ValuesAreQuotedWhenTheyNeedIt) {
  EXPECT_EQ(format("a", "m", {{"k", ""}}), "component=a msg=\"m\" k=\"\"");
  EXPECT_EQ(format("a", "m", {{"k", "two words"}}), "component=a msg=\"m\" k=\"two words\"");
  EXPECT_EQ(format("a", "m", {{"k", "x=y"}}), "component=a msg=\"m\" k=\"x=y\"");
  EXPECT_EQ(format("a", "m", {{"k", "say \"hi\" \\"}}),
            "component=a msg=\"m\" k=\"say \\\"hi\\\" \\\\\"");
}

// A line stays one line, whatever the kernel or a file put into a message.
TEST(LogFormat, ControlCharactersAreEscaped) {
  EXPECT_EQ(format("a", "one\ntwo", {{"k", std::string("\x1b[31m\0", 6)}}),
            "component=a msg=\"one\\ntwo\" k=\"\\x1b[31m\\x00\"");
}

TEST(LogFormat, ErrorsAreFieldsToo) {
  EXPECT_EQ(format("a", "m", {{"error", Error{"add route: File exists", 17}}}),
            "component=a msg=\"m\" error=\"add route: File exists\"");
}

TEST(Log, LineHasTimeLevelAndNoColourWhenNotATerminal) {
  CaptureStderr();
  warning("agent", "slow", {{"ms", 40}});
  EXPECT_THAT(GetCapturedStderr(),
              testing::MatchesRegex("time=[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+\\.[0-9]+Z "
                                    "level=warning component=agent msg=\"slow\" ms=40\n"));
}

TEST(Log, LevelDropsWhatIsBelow) {
  CaptureStderr();
  debug("a", "hidden");
  set_level(Level::kError);
  warning("a", "hidden");
  error("a", "shown");
  set_level(Level::kInfo);
  const std::string out = GetCapturedStderr();
  EXPECT_EQ(out.find("hidden"), std::string::npos) << out;
  EXPECT_NE(out.find("msg=\"shown\""), std::string::npos) << out;
}

TEST(Log, LevelsAreNamed) {
  EXPECT_EQ(parse_level("debug"), Level::kDebug);
  EXPECT_EQ(parse_level("warning"), Level::kWarning);
  EXPECT_FALSE(parse_level("verbose"));
}

}  // namespace
}  // namespace weft::log

#include "orchestrator/events/printable.h"

#include <gtest/gtest.h>

namespace blackstart::events {
namespace {

std::string shown(std::string_view text) { return printable(text, 4096); }

TEST(Printable, KeepsTextAsItIs) {
  EXPECT_EQ(shown("plain – 日本 🚀\nnext"), "plain – 日本 🚀\nnext");
}

TEST(Printable, StripsTerminalEscapes) {
  EXPECT_EQ(shown("\x1B[1;31mred\x1B[0m"), "red");
  EXPECT_EQ(shown("\x1B]0;title\x07text"), "text");
  EXPECT_EQ(shown("\x1B]8;;http://x\x1B\\link\x1B]8;;\x1B\\"), "link");
  EXPECT_EQ(shown("\x1BPdevice\x1B\\text"), "text");
  EXPECT_EQ(shown("\x1B(Btext\x1B"
                  "7"),
            "text");
  EXPECT_EQ(shown("\xC2\x9B"
                  "31m"),
            "31m");
}

TEST(Printable, AnEscapeWithoutAnEndHidesNothing) {
  EXPECT_EQ(shown("\x1B]0;the whole rest"), "0;the whole rest");
  EXPECT_EQ(shown("text\x1B"), "text");
  EXPECT_EQ(shown("text\x1B["), "text");
}

TEST(Printable, DropsControlCharacters) {
  EXPECT_EQ(shown(std::string_view("a\0b\x07"
                                   "c\x7F"
                                   "d\te\rf",
                                   11)),
            "abcd e f");
}

TEST(Printable, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(shown("a\xFF"
                  "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(shown("\xC3"), "\xEF\xBF\xBD");
  EXPECT_EQ(shown("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  EXPECT_EQ(shown("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
  EXPECT_EQ(shown("\xF4\x90\x80\x80").size(), 12u);                          // too large
}

TEST(Printable, CutsBetweenCharactersAndSaysHowMuchIsMissing) {
  EXPECT_EQ(printable("aaé", 3), "aa … (2 bytes cut)");
  EXPECT_EQ(printable("aaa", 3), "aaa");
}

}  // namespace
}  // namespace blackstart::events

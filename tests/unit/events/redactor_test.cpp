#include "orchestrator/events/redactor.h"

#include <gtest/gtest.h>

#include "orchestrator/base/text.h"
#include "orchestrator/events/printable.h"

namespace blackstart::events {
namespace {

Redactor knowing(std::string_view secret) {
  Redactor redactor;
  redactor.add(secret);
  return redactor;
}

TEST(Redactor, ReplacesEveryOccurrenceAndNothingElse) {
  EXPECT_EQ(knowing("hunter2").clean("a hunter2, b hunter2hunter2 c"), "a ***, b *** c");
}

TEST(Redactor, LeavesShortSecretsAlone) {
  EXPECT_TRUE(knowing("abc").empty());
  EXPECT_EQ(knowing("abc").clean("abc"), "abc");
}

TEST(Redactor, FindsASecretWhateverIsPutAroundItBeforeBase64) {
  for (std::string before : {"", "x", "xy", "xyz"}) {
    std::string encoded = base64_encode(before + "correct horse battery" + "!?");
    std::string cleaned = knowing("correct horse battery").clean(encoded);
    EXPECT_NE(cleaned.find("***"), std::string::npos) << encoded;
    EXPECT_LT(cleaned.size(), 13u) << cleaned;
  }
}

TEST(Redactor, SeesThroughTerminalEscapesAndLineBreaks) {
  EXPECT_EQ(knowing("hunter2").clean("<hun\x1B[31mter2>"), "<***>");
  EXPECT_EQ(knowing("hunter2").clean("<hun\nter2>"), "<***>");
}

TEST(Redactor, UndoesEscapesBeforeItSearches) {
  Redactor redactor = knowing("a\"b\\c'd e/f");
  EXPECT_EQ(redactor.clean(R"(<a\"b\\c'd e\/f>)"), "<***>");              // JSON
  EXPECT_EQ(redactor.clean(R"(<a\\\"b\\\\c'd e/f>)"), "<***>");           // JSON in JSON
  EXPECT_EQ(redactor.clean("<a%22b%5Cc%27d%20e%2Ff>"), "<***>");          // path
  EXPECT_EQ(redactor.clean("<a%22b%5cc%27d+e%2ff>"), "<***>");            // form
  EXPECT_EQ(redactor.clean(R"(<a\u0022b\u005cc\u0027d e/f>)"), "<***>");  // Go
  EXPECT_EQ(redactor.clean(R"('a"b\c'\''d e/f')"), "'***'");              // shell
  EXPECT_EQ(redactor.clean(R"('a"b\c''d e/f')"), "'***'");                // YAML
}

TEST(Redactor, KnowsASecretWithAndWithoutItsFinalLineBreak) {
  Redactor redactor = knowing("swordfish\n");
  EXPECT_EQ(redactor.clean("swordfish"), "***");
  EXPECT_EQ(redactor.clean(base64_encode("swordfish")), "***");
  EXPECT_EQ(redactor.clean(base64_encode("swordfish\n")).substr(0, 3), "***");
}

TEST(Redactor, RemovesBothHalvesOfASecretThatALineBreakCuts) {
  Redactor redactor = knowing("0123456789abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(redactor.clean_wrapped("token: 0123456789abcdefg"), "token: ***");
  EXPECT_EQ(redactor.clean_wrapped("  hijklmnopqrstuvwxyz rest"), "  *** rest");
  EXPECT_EQ(redactor.clean_wrapped("   789abcdefghijklm"), "   ***");
  EXPECT_EQ(redactor.clean_wrapped("first\n  0123456789abcdef\nlast"), "first\n  ***\nlast");
}

TEST(Redactor, RemovesEachLineOfAKeyThatIsPrintedLineByLine) {
  Redactor redactor =
      knowing("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n");
  EXPECT_EQ(redactor.clean_wrapped("MIIEvQIBADANBgkq"), "***");
  EXPECT_EQ(redactor.clean_wrapped("    hkiG9w0BAQEFAASC"), "    ***");
}

TEST(Redactor, FindsEachLineOfASecretWhateverIsPutBeforeIt) {
  Redactor redactor = knowing("login admin\r\n  password Tr0ub4dor&3xyz\n{\nlast line");
  EXPECT_EQ(redactor.clean("> login admin"), "> ***");
  EXPECT_EQ(redactor.clean("2: password Tr0ub4dor&3xyz!"), "2: ***!");
  EXPECT_EQ(redactor.clean("a {last line}"), "a {***}");
  EXPECT_EQ(knowing("one line\n").clean("one"), "one") << "of a single line only the whole";
}

TEST(Redactor, LeavesNamesAloneThatBeginLikeASecret) {
  Redactor redactor = knowing("homelab-admin-password");
  EXPECT_EQ(redactor.clean("homelab-admin"), "homelab-admin");
}

TEST(Redactor, TakesAnyBytes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  Redactor redactor = knowing(all);
  EXPECT_EQ(printable(redactor.clean("a" + all + "b"), 100), "a***b");
  EXPECT_EQ(redactor.clean_wrapped("%\\u\\x\\uD800\\uD800%4%zz\\"), "%\\u\\x\\uD800\\uD800%4%zz\\");
}

}  // namespace
}  // namespace blackstart::events

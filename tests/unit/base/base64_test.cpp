#include <gtest/gtest.h>

#include "orchestrator/base/text.h"

namespace blackstart {
namespace {

TEST(Base64, WrappedIsReadAsKubectlReadsIt) {
  const std::string text(100, 'x');
  std::string wrapped = base64_encode(text);
  wrapped.insert(76, "\n");
  EXPECT_EQ(base64_decode(wrapped + "\n"), text);
  EXPECT_EQ(base64_decode("\r\nYW\r\nI=\r\n"), "ab");
  EXPECT_EQ(base64_decode("YQ=\n="), "a");
  EXPECT_EQ(base64_decode("\n"), "");
}

TEST(Base64, OfAnyLengthComesBack) {
  std::string text;
  for (int length = 0; length < 8; ++length, text += '\xff')
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
}

// Go's decoder, which stands behind kubectl, refuses each of them.
TEST(Base64, AnythingElseIsRefused) {
  for (const char* text : {"Y", "YQ", "YQ=", "Y===", "====", "YQ==YQ==", "Y=Q=", " YQ=", "    YQ==",
                           "YQ==    ", "YWJj\t\t\t\t", "YW-_", "YWJjZA==="})
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
}

}  // namespace
}  // namespace blackstart

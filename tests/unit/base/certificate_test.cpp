#include "orchestrator/base/certificate.h"

#include <gtest/gtest.h>

#include "tests/unit/world/test_certificates.h"

namespace blackstart {
namespace {

using std::chrono::seconds;

TEST(Certificate, SaysFromWhenUntilWhenItIsValid) {
  const test::Certificate ca = test::make_ca("ca");
  test::Leaf leaf;
  leaf.not_before = seconds(-100);
  leaf.not_after = seconds(500);
  const auto validity = validity_of(test::make_leaf(ca, leaf).certificate + ca.certificate);
  ASSERT_TRUE(validity);
  EXPECT_EQ(validity->until - validity->from, seconds(600));
}

// RFC 5280, 4.1.2.5: "no well-defined expiration" is the year 9999.
TEST(Certificate, OfTheYear9999_IsValidStill) {
  const auto ca = test::make_ca("CA");
  test::Leaf leaf;
  leaf.not_after = std::chrono::hours(24 * 365 * 7000);
  const auto validity = validity_of(test::make_leaf(ca, leaf).certificate);
  ASSERT_TRUE(validity);
  EXPECT_GT(validity->until, std::chrono::system_clock::now() + std::chrono::hours(24 * 365 * 200));
}

TEST(Certificate, ThatIsNone_HasNoValidity) {
  EXPECT_FALSE(validity_of(""));
  EXPECT_FALSE(validity_of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

TEST(Certificate, BelongsToItsOwnKeyOnly) {
  const test::Certificate ca = test::make_ca("ca");
  const test::Certificate one = test::make_leaf(ca);
  const test::Certificate other = test::make_leaf(ca);
  EXPECT_TRUE(belong_together(one.certificate, one.key));
  EXPECT_FALSE(belong_together(one.certificate, other.key));
  EXPECT_FALSE(belong_together(one.certificate, ""));
  EXPECT_FALSE(belong_together("", one.key));
}

}  // namespace
}  // namespace blackstart

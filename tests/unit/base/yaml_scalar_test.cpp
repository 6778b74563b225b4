// What sigs.k8s.io/yaml v1.6.0 (go.yaml.in/yaml/v2 v2.4.2, as in kubectl 1.36) makes of a scalar.
// The right column is its own output for "a: SCALAR".
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "orchestrator/base/yaml.h"

namespace blackstart::yaml {
namespace {

struct Scalar {
  const char* written;
  const char* json;
};

constexpr Scalar kScalars[] = {
    {"yes", "true"},
    {"no", "false"},
    {"on", "true"},
    {"off", "false"},
    {"y", "true"},
    {"n", "false"},
    {"Y", "true"},
    {"N", "false"},
    {"Yes", "true"},
    {"YES", "true"},
    {"yEs", "\"yEs\""},
    {"True", "true"},
    {"TRUE", "true"},
    {"tRUE", "\"tRUE\""},
    {"~", "null"},
    {"null", "null"},
    {"Null", "null"},
    {"NULL", "null"},
    {"nULL", "\"nULL\""},
    {"", "null"},
    {"0777", "511"},
    {"0o777", "511"},
    {"0x1F", "31"},
    {"0b11", "3"},
    {"-0b11", "-3"},
    {"1_000", "1000"},
    {"1_0.5", "10.5"},
    {"_1", "\"_1\""},
    {"1e3", "1000"},
    {"1.5e3", "1500"},
    {"1E400", "\"1E400\""},
    {"18446744073709551615", "18446744073709551615"},
    {"18446744073709551616", "18446744073709552000"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"-9223372036854775809", "-9223372036854776000"},
    {"9223372036854775807", "9223372036854775807"},
    {"9223372036854775808", "9223372036854775808"},
    {"2001-01-01", "\"2001-01-01\""},
    {"2001-01-01T00:00:00Z", "\"2001-01-01T00:00:00Z\""},
    {"1:20", "\"1:20\""},
    {"190:20:30", "\"190:20:30\""},
    {"+1", "1"},
    {"-1", "-1"},
    {"+.5", "0.5"},
    {".5", "0.5"},
    {"5.", "5"},
    {"1.", "1"},
    {"0", "0"},
    {"00", "0"},
    {"08", "8"},
    {"09.5", "9.5"},
    {"0x", "\"0x\""},
    {"0xG", "\"0xG\""},
    {"1.0", "1"},
    {"1.10", "1.1"},
    {"-0", "0"},
    {"0.0", "0"},
    {"-0.0", "-0"},
    {"1e21", "1e+21"},
    {"1e20", "100000000000000000000"},
    {"123456789012345678901234567890", "1.2345678901234568e+29"},
    {"0.1", "0.1"},
    {"1e-7", "1e-7"},
    {"100000000000000000000000", "1e+23"},
    {"!!str 1", "\"1\""},
    {"!!int '1'", "1"},
    {"!!float 1", "1"},
    {"!!bool yes", "true"},
    {"!!binary aGVsbG8=", "\"hello\""},
    {"!foo 1", "\"1\""},
    {"! 1", "\"1\""},
    {"'1'", "\"1\""},
    {"\"1\"", "\"1\""},
    {"=", "\"=\""},
    {"<<", "\"<<\""},
    {"0b", "\"0b\""},
    {"0o", "\"0o\""},
    {"0O7", "7"},
    {"0X1f", "31"},
    {"1e", "\"1e\""},
    {"e1", "\"e1\""},
    {"0_7", "7"},
    {"0x_1", "1"},
    {"1__0", "10"},
    {"1_", "1"},
    {"+", "\"+\""},
    {".", "\".\""},
    {"...", "\"...\""},
    {"0777_7", "4095"},
    {"-0777", "-511"},
    {"+0777", "511"},
    {"-0x1f", "-31"},
    {"+0x1f", "31"},
    {"-0o7", "-7"},
    {"0x8000000000000000", "9223372036854775808"},
    {"0xFFFFFFFFFFFFFFFF", "18446744073709551615"},
    {"0x1FFFFFFFFFFFFFFFF", "\"0x1FFFFFFFFFFFFFFFF\""},
    {"infinity", "\"infinity\""},
    {"nan", "\"nan\""},
    {"Inf", "\"Inf\""},
    {"0x1p-2", "\"0x1p-2\""},
    {"1_000.5_5", "1000.55"},
    {"12e03", "12000"},
    {"-2E+05", "-200000"},
    {"685.230_15e+03", "685230.15"},
    {"0b1111_0000", "240"},
    {".1e5", "10000"},
    {"1.e5", "100000"},
    {"099", "99"},
    {"0789", "789"},
    {"07.5", "7.5"},
    {"0.", "0"},
    {"1d", "\"1d\""},
    {"0o17", "15"},
    {"1e400", "\"1e400\""},
    {"1e-400", "0"},
    {"-1e400", "\"-1e400\""},
    {"0x_f_f", "255"},
    {"1.5.2", "\"1.5.2\""},
    {"1,000", "\"1,000\""},
    {"١", "\"١\""},
    {"0.10", "0.1"},
    {"1_000_000", "1000000"},
    {"-.5", "-0.5"},
    {"-0.5e1", "-5"},
    {"1E3", "1000"},
    {"9007199254740993", "9007199254740993"},
    {"1e19", "10000000000000000000"},
    {"-1e19", "-10000000000000000000"},
    {"12345678901234567890", "12345678901234567890"},
    {"0b2", "\"0b2\""},
    {"NO", "false"},
    {"Off", "false"},
    {"oN", "\"oN\""},
    {"~x", "\"~x\""},
};

TEST(YamlScalars, AreReadAsKubectlReadsThem) {
  for (const Scalar& scalar : kScalars) {
    Diagnostics diagnostics;
    auto documents = parse(std::string("a: ") + scalar.written, "f", {}, diagnostics);
    ASSERT_EQ(documents.size(), 1u) << scalar.written;
    ASSERT_TRUE(diagnostics.empty())
        << scalar.written << ": " << diagnostics.sorted().front().message;
    // Compared as JSON values: 1e+21 and 1E21 are the same number.
    EXPECT_EQ(to_json(documents[0]).at("a"), boost::json::parse(scalar.json)) << scalar.written;
  }
}

TEST(YamlScalars, WholeNumbersWrittenAsFloats_AreIntegersAfterJson) {
  Diagnostics diagnostics;
  auto documents = parse("[1.0, 1e3, 1e20, 1.5, -0.0]", "f", {}, diagnostics);
  boost::json::value list = to_json(documents.at(0));
  EXPECT_TRUE(list.at(0).is_int64());
  EXPECT_TRUE(list.at(1).is_int64());
  EXPECT_TRUE(list.at(2).is_double());
  EXPECT_TRUE(list.at(3).is_double());
  EXPECT_TRUE(list.at(4).is_int64());
}

}  // namespace
}  // namespace blackstart::yaml

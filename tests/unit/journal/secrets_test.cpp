// Canary secrets through every payload and every sink, the journal included: none comes out,
// however a tool wrote it.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cctype>
#include <cstdio>

#include "orchestrator/base/text.h"
#include "orchestrator/events/debug_log.h"
#include "orchestrator/events/ndjson_sink.h"
#include "orchestrator/events/plain_sink.h"
#include "orchestrator/journal/event_sink.h"
#include "tests/unit/events/collecting.h"
#include "tests/unit/journal/test_world.h"

namespace blackstart::journal {
namespace {

std::vector<std::string> canaries() {
  std::vector<std::string> secrets = {
      "swordfish",
      "correct horse battery staple and more",
      "p@ss'w\"o\\rd/with?every&kind=of#mark<in>it%20",
      "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB",
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ",
      "AGE-SECRET-KEY-1QQPQZ0123456789ABCDEFGHJKLMNPQRSTUVWXYZCANARY",
      "-----BEGIN PRIVATE "
      "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQCanaryCanary12\n"
      "-----END PRIVATE KEY-----\n",
      "schlüssel-für-später-日本語-🔑🔑",
      "\x01\x02\xFE\xFF binary \x80\x81 canary \xC3\x28 bytes",
      "trailing line break canary secret\n",
      "tab\tseparated\tcanary\tsecret\tvalue",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  };
  // Random-looking ones of all lengths from 9 to 28 characters.
  for (size_t i = secrets.size(); i < 32; ++i) {
    std::string digest = base64_encode(sha256_hex("canary " + std::to_string(i)));
    secrets.push_back(digest.substr(3, i - 3));
  }
  return secrets;
}

std::string percent_encoded(std::string_view text) {
  std::string result;
  char escape[8];
  for (char c : text) {
    bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    std::snprintf(escape, sizeof escape, "%%%02X",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    result += plain ? std::string(1, c) : std::string(escape);
  }
  return result;
}

std::string hex(std::string_view text) {
  std::string result;
  char digits[4];
  for (char c : text) {
    std::snprintf(digits, sizeof digits, "%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    result += digits;
  }
  return result;
}

std::string json_escaped(std::string_view text) {
  std::string quoted = boost::json::serialize(boost::json::string(text));
  return quoted.substr(1, quoted.size() - 2);
}

/// What `secret` looks like when a tool writes it, each with a text that must then not be seen.
std::vector<std::pair<std::string, std::string>> writings(const std::string& secret) {
  std::vector<std::pair<std::string, std::string>> result;
  auto add = [&result](const std::string& text) { result.emplace_back(text, text); };
  add(secret);
  add(hex(secret));
  add(percent_encoded(secret));
  add(json_escaped(secret));
  for (size_t before = 0; before < 3; ++before) {
    std::string encoded = base64_encode(std::string(before, 'x') + secret + "yz");
    size_t first = (before * 8 + 5) / 6;
    result.emplace_back(encoded, encoded.substr(first, (before + secret.size()) * 8 / 6 - first));
  }
  if (secret.size() < 24) return result;
  size_t half = secret.size() / 2;
  std::string cut = secret;
  result.emplace_back(cut.insert(half, "\n"), secret.substr(0, half));
  result.emplace_back(cut, secret.substr(half));
  return result;
}

class SecretsTest : public WorldTest {
 protected:
  SecretsTest() : bus(clock) {
    journal = await(open(world, folder + "/journal.db", false)).journal;
    RunInfo run;
    run.id = "r1";
    await(journal->begin_run(run));
    bus.add_sink(
        std::make_unique<events::PlainSink>(events::into(seen), events::PlainOptions{true, 0}));
    bus.add_sink(std::make_unique<events::NdjsonSink>(events::into(seen)));
    bus.add_sink(std::make_unique<events::DebugLog>(events::into(seen)));
    bus.add_sink(std::make_unique<EventSink>(*journal));
  }

  /// All that any sink has made of these events, as written and with JSON's escapes undone.
  std::string all_seen() {
    std::string all = seen;
    for (const std::string& line : await(journal->run_events("r1"))) all += line + "\n";
    std::string text = all;
    for (const auto& [escaped, plain] : {std::pair{"\\\"", "\""}, {"\\n", "\n"}, {"\\\\", "\\"}}) {
      for (size_t at = text.find(escaped); at != std::string::npos; at = text.find(escaped, at + 1))
        text.replace(at, 2, plain);
    }
    return all + text;
  }

  void publish_everywhere(const std::string& text) {
    for (events::Payload& payload : events::every_payload("before " + text + " after", "name"))
      bus.publish(std::move(payload));
    clock.elapsed += std::chrono::seconds(1);
  }

  events::Bus bus;
  std::unique_ptr<Journal> journal;
  std::string seen;
};

TEST_F(SecretsTest, NoneOf32CanariesLeavesThroughAnySink) {
  std::vector<std::pair<std::string, std::string>> forbidden;
  ASSERT_EQ(canaries().size(), 32u);
  for (const std::string& secret : canaries()) bus.redactor().add(secret);
  for (const std::string& secret : canaries()) {
    for (const auto& [written, hidden] : writings(secret)) {
      publish_everywhere(written);
      forbidden.emplace_back(hidden, secret);
    }
  }
  std::string output = all_seen();
  EXPECT_GT(output.size(), 500'000u);
  for (const auto& [hidden, secret] : forbidden) {
    EXPECT_EQ(output.find(hidden), std::string::npos) << "'" << hidden << "' of '" << secret << "'";
  }
}

TEST_F(SecretsTest, ASecretThatAToolWrapsOverTwoOutputLinesIsNotSeenInEither) {
  for (const std::string& secret : canaries()) bus.redactor().add(secret);
  for (const std::string& secret : canaries()) {
    bool one_line = secret.size() >= 24 && secret.find('\n') == std::string::npos;
    if (!one_line) continue;
    for (const std::string& text : {secret, base64_encode(secret), hex(secret)}) {
      std::string first = text.substr(0, text.size() / 2);
      std::string second = text.substr(text.size() / 2);
      bus.publish(events::OutputLine{"tool", "stdout", "key: " + first});
      bus.publish(events::OutputLine{"tool", "stdout", "  " + second + " end"});
      std::string output = all_seen();
      EXPECT_EQ(output.find(first), std::string::npos) << first;
      EXPECT_EQ(output.find(second.substr(0, second.find('='))), std::string::npos) << second;
      clock.elapsed += std::chrono::seconds(1);
    }
  }
}

TEST_F(SecretsTest, WithoutTheRedactorTheyWouldAllBeSeen) {
  std::string secret = canaries()[1];
  for (const auto& [written, hidden] : writings(secret)) {
    publish_everywhere(written);
    EXPECT_NE(all_seen().find(hidden), std::string::npos) << hidden;
  }
}

}  // namespace
}  // namespace blackstart::journal

#include "orchestrator/events/bus.h"

#include <gtest/gtest.h>

#include "tests/unit/events/collecting.h"

namespace blackstart::events {
namespace {

class Collector final : public Sink {
 public:
  explicit Collector(std::vector<Event>& events) : events_(events) {}
  void on_event(const Event& event) override { events_.push_back(event); }

 private:
  std::vector<Event>& events_;
};

class BusTest : public testing::Test {
 protected:
  BusTest() : bus(clock) { bus.add_sink(std::make_unique<Collector>(events)); }

  std::vector<std::string> output_lines() const {
    std::vector<std::string> lines;
    for (const Event& event : events) {
      if (const auto* output = std::get_if<OutputLine>(&event.payload))
        lines.push_back(output->line);
    }
    return lines;
  }

  ManualClock clock;
  Bus bus;
  std::vector<Event> events;
};

TEST_F(BusTest, NumbersWithoutGapsAndStampsWithTheClock) {
  bus.publish(Waiting{"a", "x"});
  clock.elapsed += std::chrono::seconds(2);
  bus.publish(Waiting{"a", "y"});
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].sequence, 1u);
  EXPECT_EQ(events[1].sequence, 2u);
  EXPECT_EQ(events[1].time - events[0].time, std::chrono::seconds(2));
  EXPECT_EQ(events[1].elapsed - events[0].elapsed, std::chrono::seconds(2));
}

TEST_F(BusTest, AnErrorIsCleanedPieceByPieceBeforeItIsOneLine) {
  bus.redactor().add("0123456789abcdefghijklmnopqrstuvwxyz");
  Error error(ErrorClass::kPermanent, "the command failed");
  error.because("key: 0123456789abcdefgh").because("ijklmnopqrstuvwxyz end");
  EXPECT_EQ(clean_text(bus.redactor(), error), "the command failed: key: ***: *** end");
}

TEST_F(BusTest, EveryStringFieldOfEveryPayloadIsRedactedButNames_AndMadePrintable) {
  bus.redactor().add("hunter2");
  const std::string text = "<hunter2\x1B[31m\xFF>";
  for (Payload& payload : every_payload(text, text)) bus.publish(std::move(payload));
  size_t seen = 0;
  struct Check {
    size_t& seen;
    void operator()(const char* name, const std::string& field) const {
      EXPECT_EQ(field, is_word(name) ? "<hunter2\xEF\xBF\xBD>" : "<***\xEF\xBF\xBD>") << name;
      ++seen;
    }
    void operator()(const char* name, const std::vector<std::string>& field) const {
      for (const std::string& text : field) (*this)(name, text);
    }
    void operator()(const char*, int64_t) const {}
    void operator()(const char*, bool) const {}
  };
  for (const Event& event : events) visit_fields(event.payload, Check{seen});
  EXPECT_EQ(events.size(), 11u);
  EXPECT_GT(seen, 40u);
}

TEST_F(BusTest, LongFieldsAreCutAndCausesAreCounted) {
  Notice notice;
  notice.message = std::string(1 << 20, 'x');
  notice.causes.assign(1000, "cause");
  bus.publish(notice);
  const auto& cut = std::get<Notice>(events.at(0).payload);
  EXPECT_LT(cut.message.size(), 4200u);
  EXPECT_NE(cut.message.find("cut)"), std::string::npos);
  EXPECT_EQ(cut.causes.size(), 32u);
}

TEST_F(BusTest, AFloodOfOutputIsCountedInsteadOfShown) {
  for (int i = 0; i < 2000; ++i) bus.publish(OutputLine{"tool", "stdout", "line"});
  bus.publish(OutputLine{"other", "stdout", "calm"});
  clock.elapsed += std::chrono::seconds(1);
  bus.publish(OutputLine{"tool", "stdout", "last"});
  auto lines = output_lines();
  ASSERT_EQ(lines.size(), 503u);
  EXPECT_EQ(lines[500], "calm");
  EXPECT_EQ(lines[501], "… 1500 lines left out");
  EXPECT_EQ(lines[502], "last");
}

TEST_F(BusTest, WhatWasLeftOutIsSaidBeforeTheStageEndsAndAtFlush) {
  for (int i = 0; i < 501; ++i) bus.publish(OutputLine{"one", "stdout", "line"});
  for (int i = 0; i < 502; ++i) bus.publish(OutputLine{"two", "stdout", "line"});
  bus.publish(StageChanged{"one", "exec", "done", "", 1});
  EXPECT_EQ(output_lines().back(), "… 1 line left out");
  EXPECT_TRUE(std::holds_alternative<StageChanged>(events.back().payload));
  bus.flush();
  EXPECT_EQ(output_lines().back(), "… 2 lines left out");
}

/// Publishes while it is handed something, as one does whose disk is full.
class Complaining final : public Sink {
 public:
  explicit Complaining(Bus& bus) : bus_(bus) {}
  void on_event(const Event& event) override {
    if (std::holds_alternative<Waiting>(event.payload))
      bus_.publish(Notice{"warning", "", "", "help", {}, ""});
  }

 private:
  Bus& bus_;
};

TEST(BusOrder, WhatASinkPublishesFollowsTheEventAtHandForAllSinks) {
  ManualClock clock;
  Bus bus(clock);
  std::vector<Event> events;
  bus.add_sink(std::make_unique<Complaining>(bus));
  bus.add_sink(std::make_unique<Collector>(events));
  bus.publish(Waiting{"a", "x"});
  ASSERT_EQ(events.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<Waiting>(events[0].payload));
  EXPECT_TRUE(std::holds_alternative<Notice>(events[1].payload));
  EXPECT_EQ(events[0].sequence, 1u);
  EXPECT_EQ(events[1].sequence, 2u);
}

TEST(NoticeOf, CarriesPlaceCausesAndHint) {
  Error error(ErrorClass::kPermanent, "chart does not render");
  error.at({intern_file("plan.yaml"), 3, 5})
      .because("exit code 1")
      .because("bad value")
      .hint("look");
  Notice notice = notice_of(error, "argocd");
  EXPECT_EQ(notice.severity, "error");
  EXPECT_EQ(notice.stage, "argocd");
  EXPECT_EQ(notice.place, "plan.yaml:3:5");
  EXPECT_EQ(notice.causes, (std::vector<std::string>{"exit code 1", "bad value"}));
  EXPECT_EQ(notice.hint, "look");
}

}  // namespace
}  // namespace blackstart::events

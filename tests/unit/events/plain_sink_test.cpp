#include "orchestrator/events/plain_sink.h"

#include <gtest/gtest.h>

#include "tests/unit/events/collecting.h"

namespace blackstart::events {
namespace {

/// Publishes a short run that has one of everything, seconds apart.
std::string shown(bool verbose) {
  std::string text;
  ManualClock clock;
  Bus bus(clock);
  bus.add_sink(std::make_unique<PlainSink>(into(text), PlainOptions{verbose, 7}));
  auto publish = [&](Payload payload) {
    bus.publish(std::move(payload));
    clock.elapsed += std::chrono::milliseconds(1500);
  };
  publish(RunStarted{"r1", "apply", "homelab", "/h/plan.yaml", "rehearsal", "/s", "0.1.0", 3});
  publish(StageChanged{"cluster", "kwok.cluster", "observing", "", 0});
  publish(Observed{"cluster", "absent", "no such cluster"});
  publish(ActionStarted{"cluster", "create", "create cluster homelab", 1, false});
  publish(OutputLine{"cluster", "stderr", "Cluster is creating"});
  publish(Waiting{"cluster", "API server answers 503"});
  publish(Retrying{"cluster", "transient", "connection reset", 1, 800});
  publish(Heartbeat{"cluster", "acting", "API server answers 503", 10'000, 590'000});
  publish(ActionEnded{"cluster", "create", "done", 3400});
  publish(StageChanged{"cluster", "kwok.cluster", "done", "2 nodes Ready", 12'100});
  publish(StageChanged{"crds", "kube.crds", "satisfied", "", 12});
  publish(Notice{"error",
                 "argocd",
                 "plan.yaml:31:5",
                 "cannot install the release",
                 {"exit code 1", "two\nlines"},
                 "check values.yaml"});
  publish(StageChanged{"argocd", "helm.release", "failed", "cannot install the release", 7200});
  publish(RunEnded{"r1", "failed", 1, 21'300, 1, 1, 1, 0, 0, 0, "blackstart apply"});
  return text;
}

TEST(PlainSink, TheSameCauseOfARetry_IsToldOnce) {
  ManualClock clock;
  std::string text;
  Bus bus(clock);
  bus.add_sink(std::make_unique<PlainSink>(into(text), PlainOptions{false, 7}));
  int attempt = 0;
  for (const char* cause : {"no endpoint", "no endpoint", "denied"})
    bus.publish(Retrying{"cluster", "not ready", cause, ++attempt, 800});
  bus.publish(Retrying{"cluster", "not ready", "denied", 1, 800});
  EXPECT_EQ(text,
            "00:00 cluster ↻ attempt 1 failed (not ready), next in 800ms: no endpoint\n"
            "00:00 cluster ↻ attempt 2 failed (not ready), next in 800ms: as before\n"
            "00:00 cluster ↻ attempt 3 failed (not ready), next in 800ms: denied\n"
            "00:00 cluster ↻ attempt 1 failed (not ready), next in 800ms: denied\n");
}

TEST(PlainSink, ShowsARunAsOneLineAnEvent) {
  EXPECT_EQ(shown(false),
            "apply homelab (environment rehearsal): 3 stages, run r1\n"
            "00:04 cluster ▸ create cluster homelab\n"
            "00:07 cluster · waiting: API server answers 503\n"
            "00:09 cluster ↻ attempt 1 failed (transient), next in 800ms: connection reset\n"
            "00:10 cluster … still acting after 10.0s, 9m50s left: API server answers 503\n"
            "00:13 cluster ✓ done in 12.1s: 2 nodes Ready\n"
            "00:15 crds    ✓ nothing to do\n"
            "plan.yaml:31:5: error: argocd: cannot install the release\n"
            "    exit code 1\n"
            "    two\n"
            "    lines\n"
            "    what to do: check values.yaml\n"
            "00:18 argocd  ✗ failed after 7.2s: cannot install the release\n"
            "failed after 21.3s: 1 done, 1 with nothing to do, 1 failed\n"
            "  failed argocd: cannot install the release\n"
            "to go on: blackstart apply\n");
}

TEST(PlainSink, VerboseAlsoShowsOutputsObservationsAndStates) {
  std::string text = shown(true);
  EXPECT_NE(text.find("00:01 cluster · observing\n"), std::string::npos);
  EXPECT_NE(text.find("00:03 cluster · observed absent: no such cluster\n"), std::string::npos);
  EXPECT_NE(text.find("00:06 cluster | Cluster is creating\n"), std::string::npos);
  EXPECT_NE(text.find("00:12 cluster ✓ create cluster homelab: done after 3.4s\n"),
            std::string::npos);
}

TEST(PlainSink, WritesNoTerminalEscapes) { EXPECT_EQ(shown(true).find('\x1B'), std::string::npos); }

/// A stage that waits, some time after the beginning of the run.
struct Waits {
  std::string text;
  ManualClock clock;
  Bus bus{clock};

  Waits() { bus.add_sink(std::make_unique<PlainSink>(into(text), PlainOptions{})); }
  void after(int milliseconds, Payload payload) {
    clock.elapsed += std::chrono::milliseconds(milliseconds);
    bus.publish(std::move(payload));
  }
};

TEST(PlainSink, AWaitGetsALineWhenWhatItWaitsForChangesAndNotForEachDetail) {
  Waits run;
  run.after(0, Waiting{"a", "2 of 3: x: starting", {"x", "y"}});
  run.after(2000, Waiting{"a", "2 of 3: x: pulling", {"x", "y"}});
  run.after(2000, Waiting{"a", "1 of 3: y: pulling", {"y"}});
  run.after(2000, Waiting{"a", "1 of 3: y: starting", {"y"}});
  run.after(4000, Heartbeat{"a", "verifying", "1 of 3: y: starting", 10'000, 0});
  run.after(1000, StageChanged{"a", "t", "done", "3 of 3", 11'000});
  EXPECT_EQ(run.text,
            "00:00 a · waiting: 2 of 3: x: starting\n"
            "00:04 a · waiting: 1 of 3: y: pulling\n"
            "00:10 a … still verifying after 10.0s: 1 of 3: y: starting\n"
            "00:11 a ✓ done in 11.0s: 3 of 3\n");
}

TEST(PlainSink, AWaitThatChangesAllTheTimeGetsALineASecond) {
  Waits run;
  for (int i = 0; i < 30; ++i) run.after(i == 0 ? 0 : 100, Waiting{"a", std::to_string(i)});
  EXPECT_EQ(run.text, "00:00 a · waiting: 0\n00:01 a · waiting: 10\n00:02 a · waiting: 20\n");
}

TEST(PlainSink, TheLastReasonOfAWaitIsNotLostWithTheStage) {
  for (const char* state : {"failed", "stopped", "unknown"}) {
    Waits run;
    run.after(0, Waiting{"a", "x: starting", {"x"}});
    run.after(2000, Waiting{"a", "x: the image is missing", {"x"}});
    run.after(1000, StageChanged{"a", "t", state, "the run was asked to stop", 3000});
    EXPECT_NE(run.text.find("00:03 a · waiting: x: the image is missing\n00:03 a "),
              std::string::npos)
        << run.text;
  }
  Waits run;
  run.after(0, Waiting{"a", "x: starting", {"x"}});
  run.after(2000, Waiting{"a", "x: slow", {"x"}});
  run.after(1000, StageChanged{"a", "t", "failed", "not done within 3s: x: slow", 3000});
  EXPECT_EQ(run.text.find("waiting: x: slow"), std::string::npos) << "its end says so\n"
                                                                  << run.text;
}

TEST(PlainSink, WaitingForTheSameAgainAfterAnActionIsNews) {
  Waits run;
  run.after(0, Waiting{"a", "x: starting", {"x"}});
  run.after(2000, ActionStarted{"a", "restart", "restart x", 1, false});
  run.after(2000, Waiting{"a", "x: starting again", {"x"}});
  EXPECT_NE(run.text.find("waiting: x: starting again"), std::string::npos) << run.text;
}

TEST(PlainSink, AStageThatWasStoppedIsShownAsSuch) {
  Waits run;
  run.after(0, StageChanged{"a", "t", "stopped", "the run was asked to stop", 3000});
  run.after(0, RunEnded{"r1", "stopped", 130, 3000, 0, 0, 0, 1, 0, 2, ""});
  EXPECT_EQ(run.text,
            "00:00 a – stopped: the run was asked to stop\n"
            "stopped after 3.0s: 2 stopped, 1 blocked\n"
            "  stopped a: the run was asked to stop\n");
}

TEST(PlainSink, PlacesAreShownFromWhereTheUserStands) {
  const std::pair<std::string, std::string> places[] = {
      {"/home/me/lab/plan.yaml:3:5", "plan.yaml:3:5"},
      {"/home/me/lab/stages/a.yaml:1", "stages/a.yaml:1"},
      {"/home/me/other/plan.yaml:3:5", "../other/plan.yaml:3:5"},
      {"/etc/x.yaml:1", "/etc/x.yaml:1"},
      {"chart web", "chart web"}};
  for (const auto& [place, shown] : places) {
    std::string text;
    ManualClock clock;
    Bus bus(clock);
    bus.add_sink(std::make_unique<PlainSink>(into(text), PlainOptions{.folder = "/home/me/lab"}));
    bus.publish(Notice{"error", "", place, "m", {}, ""});
    EXPECT_EQ(text, shown + ": error: m\n");
  }
}

TEST(PlainSink, KeepsLinesOfOneEventInItsColumn) {
  std::string text;
  ManualClock clock;
  Bus bus(clock);
  bus.add_sink(std::make_unique<PlainSink>(into(text), PlainOptions{}));
  bus.publish(Waiting{"a", "one\ntwo"});
  EXPECT_EQ(text, "00:00 a · waiting: one\n          two\n");
}

}  // namespace
}  // namespace blackstart::events

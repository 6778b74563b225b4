// What Argo CD 3.2.11 reported of real operations, and what is said of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "stages/argocd/advice.h"
#include "stages/argocd/operation.h"

namespace blackstart::stages::argocd {
namespace {

using boost::json::parse;
using testing::HasSubstr;
using Kind = Verdict::Kind;
using Matter = Verdict::Matter;

std::optional<Expected> any(const Source&) { return std::nullopt; }

boost::json::value with_operation(const std::string& state, const std::string& resources = "[]") {
  return parse(R"({"metadata": {"name": "demo"}, "spec": {"source": {"repoURL": "file:///r"}},
      "status": {"sync": {"status": "OutOfSync", "revision": "bbbbbbbbbbbb"}, "resources": )" +
               resources + R"(, "operationState": )" + state + "}}");
}

Verdict judge(const boost::json::value& application) {
  return judge_operation(application, any).value();
}

TEST(Operation, AWaveThatHoldsBack_IsNamedWithWhatItBlocks) {
  Verdict verdict = judge(with_operation(
      R"({"phase": "Running", "message": "waiting for healthy state of apps/Deployment/gate and 1 more resources",
          "operation": {"sync": {"revision": "bbbbbbbbbbbb"}},
          "syncResult": {"resources": [
            {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "waves", "name": "gate",
             "hookPhase": "Running", "status": "Synced", "syncPhase": "Sync"}]}})",
      R"([{"group": "apps", "kind": "Deployment", "namespace": "waves", "name": "gate", "status": "Synced",
           "syncWave": -1},
          {"kind": "ConfigMap", "namespace": "waves", "name": "later", "status": "OutOfSync", "syncWave": 1},
          {"kind": "ConfigMap", "namespace": "waves", "name": "same", "status": "OutOfSync", "syncWave": -1}])"));
  EXPECT_EQ(verdict.kind, Kind::kProgressing);
  EXPECT_EQ(verdict.reason,
            "is being synced: wave -1 waits for Deployment waves/gate and 1 more to be healthy; it "
            "holds back ConfigMap waves/later (wave 1)");
  ASSERT_EQ(verdict.suspects.size(), 1u) << "whom to ask why";
  EXPECT_EQ(verdict.suspects[0].api_version, "apps/v1");
  EXPECT_TRUE(verdict.unhealthy);
}

TEST(Operation, AHookThatRuns_IsNamedWithItsPhase) {
  Verdict verdict = judge(with_operation(
      R"({"phase": "Running", "message": "waiting for completion of hook batch/Job/migrate",
          "syncResult": {"resources": [{"group": "batch", "version": "v1", "kind": "Job",
            "namespace": "demo", "name": "migrate", "hookType": "PreSync", "hookPhase": "Running"}]}})"));
  EXPECT_EQ(verdict.reason,
            "is being synced: it waits for PreSync hook Job demo/migrate to complete, and does "
            "nothing else before");
}

constexpr const char* kFailedHook =
    R"({"phase": "Failed", "message": "one or more synchronization tasks completed unsuccessfully",
        "syncResult": {"resources": [
          {"version": "v1", "kind": "Namespace", "name": "demo", "hookPhase": "Running", "status": "Synced"},
          {"group": "batch", "version": "v1", "kind": "Job", "namespace": "demo", "name": "migrate",
           "hookType": "PreSync", "hookPhase": "Failed", "message": "Job was active longer than specified deadline"}]}})";

TEST(Operation, AHookThatFailed_IsInTheSentence_AndLookedInto) {
  Verdict verdict = judge(with_operation(kFailedHook));
  EXPECT_EQ(verdict.kind, Kind::kStuck);
  EXPECT_EQ(verdict.matter, Matter::kFailedSync);
  EXPECT_EQ(verdict.reason,
            "its last sync failed: 1 of 2 resources failed: PreSync hook Job demo/migrate: Job was "
            "active longer than specified deadline");
  ASSERT_EQ(verdict.suspects.size(), 1u);
  EXPECT_EQ(verdict.suspects[0].to_string(), "Job demo/migrate");
}

TEST(Operation, OneOfFortyThatWasRefused_IsCountedAndNotLookedFor) {
  std::string forty = "[{}";
  for (int i = 1; i < 40; ++i) forty += ",{}";
  Verdict verdict = judge(with_operation(
      R"({"phase": "Failed", "message": "one or more objects failed to apply, reason: …", "syncResult":
          {"resources": [{"version": "v1", "kind": "Service", "namespace": "forty", "name": "web",
           "hookPhase": "Failed", "status": "SyncFailed", "message": "nodePort: Invalid value: 80"}]}})",
      forty + "]"));
  EXPECT_EQ(verdict.reason,
            "its last sync failed: 1 of 40 resources failed: Service forty/web: nodePort: Invalid "
            "value: 80");
  EXPECT_TRUE(verdict.suspects.empty()) << "it never came into the cluster";
}

boost::json::value retrying(int limit, const std::string& revision, const std::string& result) {
  return with_operation(R"({"phase": "Running", "message": "Retrying operation. Attempt #4",
      "retryCount": 4, "operation": {"retry": {"limit": )" +
                        std::to_string(limit) + R"(}, "sync": {"revision": ")" + revision +
                        R"("}}, "syncResult": )" + result + "}");
}

TEST(Operation, ARetry_SaysWhichAndOfHowMany) {
  Verdict verdict = judge(retrying(5, "bbbbbbbbbbbb", "null"));
  EXPECT_EQ(verdict.reason, "is being synced, retry 4 of 5");
  EXPECT_TRUE(verdict.retrying);
  EXPECT_EQ(verdict.matter, Matter::kNone);
}

struct PinnedRow {
  int limit;
  const char* revision;
  Kind kind;
  Matter matter;
};

TEST(Operation, PinnedToAnOldRevision_IsStuckOnlyWithoutAnEnd) {
  const std::vector<PinnedRow> rows = {
      {-1, "aaaaaaaaaaaa", Kind::kStuck, Matter::kPinned},
      {5, "aaaaaaaaaaaa", Kind::kProgressing, Matter::kPinned},
      {-1, "bbbbbbbbbbbb", Kind::kProgressing, Matter::kNone},
      {-1, "", Kind::kProgressing, Matter::kNone},
  };
  for (const PinnedRow& row : rows) {
    Verdict verdict = judge(retrying(row.limit, row.revision, "null"));
    EXPECT_EQ(verdict.kind, row.kind) << row.limit << row.revision;
    EXPECT_EQ(verdict.matter, row.matter) << row.limit << row.revision;
  }
  Verdict pinned = judge(retrying(-1, "aaaaaaaaaaaa", "null"));
  EXPECT_EQ(
      pinned.reason,
      "is being synced, retry 4 without end; it is pinned to revision aaaaaaaa, and Git is at "
      "bbbbbbbb");
  EXPECT_THAT(pinned.hint, HasSubstr("terminatePinned"));
  Verdict later = judge(retrying(-1, "aaaaaaaaaaaa", R"({"resources": [{"kind": "Service", "name":
      "web", "status": "SyncFailed", "message": "refused"}]})"));
  EXPECT_THAT(later.reason, HasSubstr("Service web: refused"));
  EXPECT_EQ(trouble_of(later), trouble_of(pinned)) << "the same, for the grace";
}

TEST(Operation, PinnedIsMeasuredAgainstTheExpectedCommit) {
  boost::json::value application = retrying(-1, "bbbbbbbbbbbb", "null");
  auto verdict =
      judge_operation(application, [](const Source&) { return Expected{"cccccccccccc"}; });
  EXPECT_THAT(verdict->reason, HasSubstr("Git is at cccccccc"));
}

TEST(Operation, AnExpectedCommitThatIsNotPushed_PinsNothing) {
  boost::json::value application = retrying(-1, "bbbbbbbbbbbb", "null");
  auto unpushed = [](const Source&) { return Expected{"cccccccccccc", false}; };
  auto verdict = judge_operation(application, unpushed);
  EXPECT_EQ(verdict->kind, Kind::kProgressing);
  EXPECT_EQ(verdict->matter, Matter::kNone);
  EXPECT_EQ(verdict->reason, "is being synced, retry 4 without end");
  verdict = judge_operation(retrying(-1, "aaaaaaaaaaaa", "null"), unpushed);
  EXPECT_THAT(verdict->reason, HasSubstr("Git is at bbbbbbbb")) << "as Argo CD says";
}

TEST(Operation, OneThatIsBeingEnded_IsNotPinnedAnyMore) {
  Verdict verdict = judge(with_operation(
      R"({"phase": "Terminating", "retryCount": 3, "operation": {"sync": {"revision": "aaaa"}}})"));
  EXPECT_EQ(verdict.reason, "its operation is being ended");
  EXPECT_EQ(verdict.matter, Matter::kNone);
}

struct AdviceRow {
  const char* message;
  const char* advice;
};

TEST(Advice, IsAboutWhatTheErrorSpeaksOf) {
  const std::vector<AdviceRow> rows = {
      {"rpc error: code = Unknown desc = failed to list refs: authentication required: ",
       "credentials"},
      {"failed to list refs: Get \"https://127.0.0.1:1/x.git/info/refs\": dial tcp 127.0.0.1:1: "
       "connect: connection refused",
       "can be reached"},
      {"unable to resolve git revision : failed to list refs: repository not found", "repoURL"},
      {"unable to resolve 'nosuch' to a commit SHA", "push that branch"},
      {"no/such/path: app path does not exist", "push that folder"},
      {"failed to unmarshal manifest", "correct the path, revision or manifests"},
  };
  for (const AdviceRow& row : rows)
    EXPECT_THAT(advice_about("ComparisonError", row.message), HasSubstr(row.advice)) << row.message;
  EXPECT_THAT(advice_about("InvalidSpecError", "project nobody which does not exist"),
              HasSubstr("create what it names"));
}

}  // namespace
}  // namespace blackstart::stages::argocd

#include "orchestrator/journal/journal.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "orchestrator/journal/event_sink.h"
#include "orchestrator/world/failpoint.h"
#include "tests/unit/journal/test_world.h"

namespace blackstart::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class JournalTest : public WorldTest {
 protected:
  Opened open_now(bool read_only = false) { return await(open(world, file(), read_only)); }
  std::string file() const { return folder + "/state/journal.db"; }

  RunInfo run(std::string id) const {
    return {std::move(id), "apply", "homelab",         "digest", "rehearsal", "anna",
            "host7",       4242,    clock.wall_time(), {},       "",          0};
  }
  StageRecord record(std::string digest) const {
    return {std::move(digest), "r1", clock.wall_time(),
            "2 nodes Ready",   1200, {{"kubeconfig", "\"/k\""}, {"nodes", "[\"a\",\"b\"]"}}};
  }
  std::string message_of(std::function<void()> work) {
    try {
      work();
    } catch (const Error& error) {
      return error.full_text() + " | " + error.hint();
    }
    return "no error";
  }
  void sql(const std::string& text) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
  }
};

TEST_F(JournalTest, RemembersEverythingThatSteersARunOverReopening) {
  {
    auto journal = open_now().journal;
    await(journal->begin_run(run("r1")));
    await(journal->stage_done("cluster", record("d1")));
    int64_t closed = await(journal->intent("r1", "cluster", "create", "d1", false));
    int64_t open = await(journal->intent("r1", "etcd", "bootstrap", "d2", true));
    EXPECT_NE(closed, open);
    await(journal->outcome(closed, "done", ""));
  }
  auto opened = open_now();
  EXPECT_FALSE(opened.damage);
  auto stage = opened.journal->stage("cluster");
  ASSERT_TRUE(stage);
  EXPECT_EQ(stage->digest, "d1");
  EXPECT_EQ(stage->run, "r1");
  EXPECT_EQ(stage->done_at, clock.wall_time());
  EXPECT_EQ(stage->observation, "2 nodes Ready");
  EXPECT_EQ(stage->elapsed_ms, 1200);
  EXPECT_EQ(stage->outputs, record("").outputs);
  EXPECT_THAT(opened.journal->open_intents("cluster"), SizeIs(0));
  auto intents = opened.journal->open_intents("etcd");
  ASSERT_THAT(intents, SizeIs(1));
  EXPECT_EQ(intents[0].run, "r1");
  EXPECT_EQ(intents[0].action, "bootstrap");
  EXPECT_EQ(intents[0].digest, "d2");
  EXPECT_TRUE(intents[0].once);
  EXPECT_EQ(intents[0].started, clock.wall_time());
}

TEST_F(JournalTest, IntentIsInTheFileBeforeTheCallReturns) {
  auto journal = open_now().journal;
  await(journal->begin_run(run("r1")));
  await(journal->intent("r1", "etcd", "bootstrap", "d", true));
  // The writer is still open, as if it had been killed right after the call.
  EXPECT_THAT(open_now(true).journal->open_intents("etcd"), SizeIs(1));
}

TEST_F(JournalTest, NewIntentsNeverReuseTheNumberOfAnOpenOne) {
  int64_t first = 0;
  {
    auto journal = open_now().journal;
    await(journal->begin_run(run("r1")));
    first = await(journal->intent("r1", "a", "x", "d", false));
  }
  auto journal = open_now().journal;
  await(journal->begin_run(run("r2")));
  EXPECT_GT(await(journal->intent("r2", "a", "y", "d", false)), first);
  EXPECT_THAT(journal->open_intents("a"), SizeIs(2));
}

TEST_F(JournalTest, SettleClosesAllOpenIntentsOfOneStageOnly) {
  auto journal = open_now().journal;
  await(journal->begin_run(run("r1")));
  await(journal->intent("r1", "a", "x", "d", false));
  await(journal->intent("r1", "a", "y", "d", false));
  await(journal->intent("r1", "b", "x", "d", false));
  await(journal->settle("a", "observed present"));
  EXPECT_THAT(journal->open_intents("a"), SizeIs(0));
  EXPECT_THAT(journal->open_intents("b"), SizeIs(1));
  journal.reset();
  EXPECT_THAT(open_now().journal->open_intents("a"), SizeIs(0));
}

TEST_F(JournalTest, AForgottenStageIsGone) {
  auto journal = open_now().journal;
  await(journal->stage_done("a", record("d")));
  await(journal->forget_stage("a"));
  EXPECT_FALSE(journal->stage("a"));
  journal.reset();
  journal = open_now().journal;
  EXPECT_FALSE(journal->stage("a"));
}

TEST_F(JournalTest, NoteSatisfiedKeepsHowLongTheLastActingRunTook) {
  auto journal = open_now().journal;
  await(journal->stage_done("a", record("d1")));
  StageRecord again = record("d1");
  again.elapsed_ms = 0;
  again.observation = "still there";
  journal->note_satisfied("a", again);
  await(journal->flush());
  journal.reset();
  auto stage = open_now().journal->stage("a");
  EXPECT_EQ(stage->elapsed_ms, 1200);
  EXPECT_EQ(stage->observation, "still there");
}

TEST_F(JournalTest, NoteSatisfiedWritesNothingWhenItSaysNothingNew) {
  auto journal = open_now().journal;
  await(journal->stage_done("a", record("d1")));
  StageRecord again = record("d1");
  again.run = "later";
  journal->note_satisfied("a", again);
  EXPECT_NE(journal->stage("a")->run, "later");
  again.outputs["x"] = "1";
  journal->note_satisfied("a", again);
  await(journal->flush());
  journal.reset();
  EXPECT_EQ(open_now().journal->stage("a")->run, "later");
}

TEST_F(JournalTest, RunsAreListedNewestFirstAndARunThatDiedHasNoResult) {
  auto journal = open_now().journal;
  await(journal->begin_run(run("r1")));
  clock.elapsed += std::chrono::seconds(5);
  await(journal->begin_run(run("r2")));
  await(journal->end_run("r2", "failed", 1));
  auto runs = await(journal->runs(10));
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].id, "r2");
  EXPECT_EQ(runs[0].result, "failed");
  EXPECT_EQ(runs[0].exit_code, 1);
  EXPECT_EQ(runs[0].ended, clock.wall_time());
  EXPECT_EQ(runs[0].environment, "rehearsal");
  EXPECT_EQ(runs[1].result, "");
  EXPECT_FALSE(runs[1].ended);
  EXPECT_THAT(await(journal->runs(1)), SizeIs(1));
}

TEST_F(JournalTest, EventsOfARunComeBackInOrderThoseBeforeItsBeginIncluded) {
  auto journal = open_now().journal;
  journal->append_event(1, "one");
  await(journal->begin_run(run("r1")));
  journal->append_event(2, "two");
  EXPECT_THAT(await(journal->run_events("r1")), ElementsAre("one", "two"));
  EXPECT_THAT(await(journal->run_events("r0")), SizeIs(0));
}

TEST_F(JournalTest, EventsAreWrittenInBatchesBySizeAndByAge) {
  auto journal = open_now().journal;
  await(journal->begin_run(run("r1")));
  int before = blocking.calls;
  for (uint64_t i = 1; i <= 499; ++i) journal->append_event(i, "line");
  drain();
  EXPECT_EQ(blocking.calls, before);
  journal->append_event(500, "line");
  drain();
  EXPECT_EQ(blocking.calls, before + 1);
  journal->append_event(501, "line");
  clock.elapsed += std::chrono::seconds(1);
  journal->append_event(502, "line");
  drain();
  EXPECT_EQ(blocking.calls, before + 2);
  EXPECT_THAT(await(open_now(true).journal->run_events("r1")), SizeIs(502));
}

TEST_F(JournalTest, ADurableWriteTakesTheBatchWithIt) {
  auto journal = open_now().journal;
  await(journal->begin_run(run("r1")));
  journal->append_event(1, "line");
  await(journal->stage_done("a", record("d")));
  EXPECT_THAT(await(open_now(true).journal->run_events("r1")), SizeIs(1));
}

TEST_F(JournalTest, OldEventsGoButTheNewestHundredRunsKeepTheirs) {
  auto journal = open_now().journal;
  for (int i = 0; i < 105; ++i) {
    clock.elapsed += std::chrono::seconds(1);
    std::string id = "r" + std::to_string(1000 + i);
    await(journal->begin_run(run(id)));
    journal->append_event(1, id);
    await(journal->end_run(id, "done", 0));
  }
  EXPECT_THAT(await(journal->run_events("r1004")), SizeIs(0));
  EXPECT_THAT(await(journal->run_events("r1005")), SizeIs(1));
  EXPECT_THAT(await(journal->runs(1000)), SizeIs(105));
}

/// Runs of one saved plan after the other, each with one action that ends well.
class JournalOfASavedPlan : public JournalTest {
 protected:
  using Stages = std::optional<std::vector<std::string>>;

  void act(const std::string& id, const std::string& saved_plan, const std::string& stage,
           int exit_code) {
    auto journal = open_now().journal;
    clock.elapsed += std::chrono::seconds(1);
    RunInfo info = run(id);
    info.saved_plan = saved_plan;
    await(journal->begin_run(info));
    if (!stage.empty()) {
      int64_t intent = await(journal->intent(id, stage, "apply", "d", false));
      await(journal->outcome(intent, "done", ""));
    }
    await(journal->end_run(id, "ended", exit_code));
  }
  Stages begun_by(const std::string& saved_plan) {
    return await(open_now().journal->begun_by(saved_plan));
  }
};

TEST_F(JournalOfASavedPlan, WhatItHasBegunIsKnownUntilItHasEndedOrAnotherRunCame) {
  EXPECT_EQ(begun_by("p"), std::nullopt);
  EXPECT_EQ(begun_by(""), std::nullopt);
  act("r1", "", "before", 130);
  act("r2", "p", "", 130);
  EXPECT_EQ(begun_by("p"), Stages(std::in_place)) << "it was begun, and has not acted yet";
  act("r3", "p", "a", 130);
  act("r4", "p", "b", 1);
  EXPECT_THAT(*begun_by("p"), testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(begun_by("q"), std::nullopt);
  act("r5", "p", "c", 0);
  EXPECT_EQ(begun_by("p"), std::nullopt) << "it was carried out to its end";
  act("r6", "p", "d", 130);
  EXPECT_THAT(*begun_by("p"), testing::ElementsAre("d"));
  act("r7", "", "", 0);
  EXPECT_EQ(begun_by("p"), std::nullopt) << "another run came";
}

TEST_F(JournalOfASavedPlan, WhatItHasBegunIsKnownAlthoughOldHistoryGoes) {
  act("r0000", "", "before", 0);
  for (int i = 0; i < 100; ++i) act("r" + std::to_string(1000 + i), "", "", 0);
  act("r2000", "p", "", 130);
  act("r2001", "p", "a", 130);
  EXPECT_THAT(*begun_by("p"), testing::ElementsAre("a"));
}

TEST_F(JournalTest, AnOpenIntentOutlivesTheHistoryOfItsRun) {
  auto journal = open_now().journal;
  await(journal->begin_run(run("r0000")));
  await(journal->intent("r0000", "etcd", "bootstrap", "d", true));
  for (int i = 0; i < 101; ++i) {
    clock.elapsed += std::chrono::seconds(1);
    await(journal->begin_run(run("r" + std::to_string(1000 + i))));
  }
  journal.reset();
  EXPECT_THAT(open_now().journal->open_intents("etcd"), SizeIs(1));
}

TEST_F(JournalTest, AllItsFilesAreReadableByTheOwnerOnly) {
  ::umask(0);
  auto journal = open_now().journal;
  await(journal->begin_run(run("r1")));
  ::umask(022);
  for (const char* part : {"", "-wal", "-shm"}) {
    struct stat status {};
    ASSERT_EQ(::stat((file() + part).c_str(), &status), 0) << part;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << part;
  }
}

TEST_F(JournalTest, AMissingOneOpenedForReadingIsEmptyAndStaysMissing) {
  auto opened = open_now(true);
  EXPECT_FALSE(opened.journal->stage("a"));
  EXPECT_THAT(await(opened.journal->runs(10)), SizeIs(0));
  EXPECT_THAT(await(opened.journal->run_events("r1")), SizeIs(0));
  opened.journal->append_event(1, "ignored");
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_THAT(message_of([&] { await(opened.journal->forget_stage("a")); }),
              HasSubstr("reading only"));
}

TEST_F(JournalTest, CanBeReadFromAFolderThatCannotBeWritten) {
  {
    auto journal = open_now().journal;
    await(journal->stage_done("a", record("d")));
  }
  ::chmod((folder + "/state").c_str(), 0500);
  auto journal = open_now(true).journal;
  ::chmod((folder + "/state").c_str(), 0700);
  EXPECT_TRUE(journal->stage("a"));
}

TEST_F(JournalTest, OneOfANewerVersionIsRefusedAndLeftAlone) {
  open_now();
  sql("PRAGMA user_version = 99; UPDATE meta SET value = '99'");
  std::string message = message_of([&] { open_now(); });
  EXPECT_THAT(message, HasSubstr("cannot open the journal " + file()));
  EXPECT_THAT(message, HasSubstr("another version"));
  EXPECT_THAT(message, HasSubstr("version 99"));
  EXPECT_THAT(files.list(folder + "/state"), SizeIs(1));
}

TEST_F(JournalTest, AFolderInItsPlaceIsAClearError) {
  std::filesystem::create_directories(file());
  std::string message = message_of([&] { open_now(); });
  EXPECT_THAT(message, HasSubstr(file()));
  EXPECT_THAT(message, HasSubstr("--state"));
}

TEST_F(JournalTest, TenThousandStagesComeBack) {
  {
    auto journal = open_now().journal;
    await(journal->begin_run(run("r1")));
    for (int i = 0; i < 10'000; ++i)
      journal->note_satisfied("stage-" + std::to_string(i), record("d"));
    await(journal->flush());
  }
  auto journal = open_now().journal;
  EXPECT_TRUE(journal->stage("stage-0"));
  EXPECT_TRUE(journal->stage("stage-9999"));
}

TEST_F(JournalTest, EventSinkKeepsWhatTheBusPublishes) {
  auto journal = open_now().journal;
  await(journal->begin_run(run("r1")));
  events::Bus bus(clock);
  bus.redactor().add("hunter2");
  bus.add_sink(std::make_unique<EventSink>(*journal));
  bus.publish(events::Waiting{"a", "for hunter2"});
  auto lines = await(journal->run_events("r1"));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], HasSubstr("\"seq\":1,"));
  EXPECT_THAT(lines[0], HasSubstr("\"reason\":\"for ***\""));
}

TEST_F(JournalTest, RunIdsSortByTimeAndDiffer) {
  std::string first = new_run_id(world);
  std::string same_second = new_run_id(world);
  clock.elapsed += std::chrono::seconds(1);
  std::string later = new_run_id(world);
  EXPECT_EQ(first, "20260102-030405-0101");
  EXPECT_NE(first, same_second);
  EXPECT_LT(same_second, later);
}

#ifdef BLACKSTART_FAILPOINTS
Task<void> remember(std::vector<std::string>& names, std::string name) {
  names.push_back(std::move(name));
  co_return;
}

TEST_F(JournalTest, FailpointsStandBeforeAndAfterEveryCommit) {
  auto journal = open_now().journal;
  std::vector<std::string> names;
  failpoints::set_handler(
      [&names](std::string_view name) { return remember(names, std::string(name)); });
  await(journal->begin_run(run("r1")));
  int64_t id = await(journal->intent("r1", "a", "x", "d", false));
  await(journal->outcome(id, "done", ""));
  failpoints::set_handler({});
  EXPECT_THAT(names, ElementsAre("journal.begin_run.before", "journal.begin_run.after",
                                 "journal.intent.before", "journal.intent.after",
                                 "journal.outcome.before", "journal.outcome.after"));
}
#endif

}  // namespace
}  // namespace blackstart::journal

// A journal that a dying disk has been at: opening it never crashes, never believes a broken row,
// and the run goes on.
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "orchestrator/journal/journal.h"
#include "tests/unit/journal/test_world.h"

namespace blackstart::journal {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class DamageTest : public WorldTest {
 protected:
  DamageTest() {
    // Thousands of journals are made here: in memory where there is such a folder.
    std::string pattern = "/dev/shm/blackstart-test-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) {
      std::filesystem::remove_all(folder);
      folder = pattern;
    }
    file = folder + "/journal.db";
  }

  Opened open_now() { return await(open(world, file, false)); }

  RunInfo run(std::string id) const {
    return {std::move(id), "apply", "homelab",         "digest", "rehearsal", "anna",
            "host7",       1,       clock.wall_time(), {},       "",          0};
  }

  StageRecord record() const {
    return {"digest", "r1", clock.wall_time(), "all Ready", 1200, {{"kubeconfig", "\"/k\""}}};
  }

  /// A journal with a bit of everything, closed; returns its bytes.
  std::string healthy() {
    {
      auto journal = open_now().journal;
      await(journal->begin_run(run("r1")));
      for (int i = 0; i < 40; ++i)
        await(journal->stage_done("stage-" + std::to_string(i), record()));
      int64_t closed = await(journal->intent("r1", "cluster", "create", "d", false));
      await(journal->outcome(closed, "done", ""));
      await(journal->intent("r1", "etcd", "bootstrap", "d", true));
      for (uint64_t i = 1; i <= 60; ++i) journal->append_event(i, std::string(200, 'e'));
      await(journal->end_run("r1", "failed", 1));
    }
    return bytes_of(file);
  }

  static std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  void put(const std::string& bytes) {
    for (const std::string& name : files.list(folder)) std::filesystem::remove(folder + "/" + name);
    std::ofstream(file, std::ios::binary) << bytes;
  }

  bool has_everything(const Journal& journal) const {
    for (int i = 0; i < 40; ++i) {
      auto stage = journal.stage("stage-" + std::to_string(i));
      if (!stage || stage->digest != "digest" || stage->outputs != record().outputs) return false;
    }
    auto intents = journal.open_intents("etcd");
    return intents.size() == 1 && intents[0].once && intents[0].action == "bootstrap" &&
           journal.open_intents("cluster").empty();
  }

  static bool has_nothing(const Journal& journal) {
    return !journal.stage("stage-0") && journal.open_intents("etcd").empty();
  }

  /// All that went wrong, for people.
  Opened open_or_fail() {
    try {
      return open_now();
    } catch (const Error& error) {
      ADD_FAILURE() << error.full_text();
      throw;
    }
  }

  /// Opens `bytes` and runs on; returns whether the journal was set aside, at once or later.
  bool survives(const std::string& bytes) {
    put(bytes);
    Opened opened = open_or_fail();
    bool aside = opened.damage.has_value();
    EXPECT_TRUE(aside || bytes.empty() ? has_nothing(*opened.journal)
                                       : has_everything(*opened.journal));
    EXPECT_TRUE(!aside || bytes_of(opened.damage->set_aside) == bytes);
    bool later = false;
    opened.journal->on_damage([&later](const Damage&) { later = true; });
    // Set aside, it is a new one like the last: going on with each would only take long.
    if (!aside || ++set_aside_count % 50 == 0) run_on(*opened.journal);
    return aside || later;
  }

  void run_on(Journal& journal) {
    await(journal.begin_run(run("r2")));
    journal.append_event(1, "begin");
    int64_t id = await(journal.intent("r2", "next", "create", "d", false));
    await(journal.outcome(id, "done", ""));
    await(journal.settle("etcd", "observed present"));
    await(journal.stage_done("stage-0", record()));
    await(journal.end_run("r2", "done", 0));
    EXPECT_THAT(await(journal.run_events("r2")), SizeIs(1));
    EXPECT_EQ(await(journal.runs(1)).at(0).result, "done");
  }

  std::string file;
  int set_aside_count = 0;
};

TEST_F(DamageTest, CutAtAnyLengthItIsSetAside) {
  std::string bytes = healthy();
  ASSERT_GT(bytes.size(), 40'000u);
  for (size_t size = 0; size < bytes.size(); size += size < 4096 ? 1 : 512) {
    bool aside = survives(bytes.substr(0, size));
    bool last_page_only = size > bytes.size() - 4096;  // no row that is still needed
    EXPECT_TRUE(aside || size == 0 || last_page_only) << "cut at " << size;
    if (HasFailure()) break;
  }
}

TEST_F(DamageTest, AFlippedBitIsFoundOrHarmless) {
  std::string bytes = healthy();
  size_t found = 0;
  for (size_t at = 0; at < bytes.size(); at += 23) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    SCOPED_TRACE(std::to_string(at));
    found += survives(damaged) ? 1 : 0;
    ASSERT_FALSE(HasFailure()) << "bit " << at % 8 << " of byte " << at;
  }
  EXPECT_GT(found, 100u);
}

TEST_F(DamageTest, ABlockOfZeroesOrGarbageIsFoundOrHarmless) {
  std::string bytes = healthy();
  for (char filling : {'\0', '\xFF', 'g'}) {
    for (size_t at = 0; at < bytes.size(); at += 512) {
      std::string damaged = bytes;
      damaged.replace(at, 512, 512, filling);
      survives(damaged);
      if (HasFailure()) FAIL() << "block at " << at << " filled with " << int{filling};
    }
  }
}

TEST_F(DamageTest, AFileThatIsNoJournalAtAllIsSetAside) {
  for (const std::string& bytes :
       {std::string(100'000, 'x'), std::string("x"), std::string(512, '\0')})
    EXPECT_TRUE(survives(bytes)) << bytes.size();
}

TEST_F(DamageTest, AWriteAheadLogThatWasLeftByAKillMayBeBrokenAnywhere) {
  auto journal = open_now().journal;
  await(journal->begin_run(run("r1")));
  for (int i = 0; i < 10; ++i) await(journal->stage_done("stage-" + std::to_string(i), record()));
  std::string main = bytes_of(file);
  std::string log = bytes_of(file + "-wal");
  journal.reset();
  ASSERT_GT(log.size(), 20'000u);
  for (size_t at = 0; at < log.size(); at += 97) {
    put(main);
    std::string damaged = log;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    std::ofstream(file + "-wal", std::ios::binary) << (at % 2 == 0 ? damaged : log.substr(0, at));
    Opened opened = open_now();
    for (int i = 0; i < 10; ++i) {
      auto stage = opened.journal->stage("stage-" + std::to_string(i));
      EXPECT_TRUE(!stage || stage->digest == "digest");
    }
    run_on(*opened.journal);
    if (HasFailure()) FAIL() << "at " << at;
  }
}

TEST_F(DamageTest, OpenedForReadingItIsLeftAloneAndSaidToBeDamaged) {
  std::string bytes = healthy();
  put(bytes.substr(0, 5000));
  Opened opened = await(open(world, file, true));
  EXPECT_TRUE(has_nothing(*opened.journal));
  ASSERT_TRUE(opened.damage);
  EXPECT_NE(opened.damage->what, "");
  EXPECT_EQ(opened.damage->set_aside, "");
  EXPECT_EQ(bytes_of(file), bytes.substr(0, 5000));
}

TEST_F(DamageTest, ItIsMadeAnewWithoutForgettingWhenAWriteMeetsTheDamage) {
  {
    auto journal = open_now().journal;
    await(journal->begin_run(run("r0")));
    for (uint64_t i = 1; i <= 400; ++i) journal->append_event(i, "needle-" + std::string(400, 'e'));
    await(journal->end_run("r0", "done", 0));
  }
  std::string bytes = healthy();
  // The inner page of the events' tree is read by no load, but by the next write of an event.
  size_t page = 0;
  for (size_t at = 4096; at < bytes.size(); at += 4096) {
    bool inner = bytes[at] == 2 && bytes.find("r0", at) < at + 4096;
    if (inner) page = at;
  }
  ASSERT_GT(page, 0u);
  bytes.replace(page, 4096, 4096, '\x55');
  put(bytes);
  Opened opened = open_now();
  ASSERT_FALSE(opened.damage);
  std::vector<Damage> told;
  opened.journal->on_damage([&told](const Damage& damage) { told.push_back(damage); });
  run_on(*opened.journal);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(told[0].set_aside, HasSubstr(".damaged-2026-01-02T030405"));
  EXPECT_NE(told[0].what, "");
  opened.journal.reset();
  auto journal = open_now().journal;
  EXPECT_TRUE(journal->stage("stage-39"));
}

TEST_F(DamageTest, SeveralDamagedOnesOfOneSecondAreAllKept) {
  std::set<std::string> places;
  for (int i = 0; i < 3; ++i) {
    std::ofstream(file, std::ios::binary) << "garbage";
    places.insert(open_now().damage->set_aside);
    std::filesystem::remove(file);
  }
  EXPECT_THAT(places, SizeIs(3));
}

std::string message_of(std::function<void()> work) {
  try {
    work();
  } catch (const Error& error) {
    return error.full_text() + " | " + error.hint();
  }
  return "no error";
}

/// A write beyond the limit fails as on a broken disk.
TEST_F(DamageTest, ADiskThatFailsIsNamedAndTheRunGoesOnOnceItWorksAgain) {
  auto journal = open_now().journal;
  await(journal->begin_run(run("r1")));
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit tight{200'000, before.rlim_max};
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &tight);
  journal->append_event(1, "kept");
  StageRecord large = record();
  large.observation = std::string(1 << 20, 'x');
  std::string message = message_of([&] { await(journal->stage_done("k", large)); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("cannot write the journal " + file));
  EXPECT_THAT(message, HasSubstr("disk"));
  EXPECT_FALSE(journal->stage("k"));
  await(journal->stage_done("k", record()));
  EXPECT_THAT(await(journal->run_events("r1")), SizeIs(1));
}

TEST_F(DamageTest, AFullDiskIsNamedAndTheRunGoesOnOnceThereIsRoom) {
  std::string small = folder + "/small";
  std::filesystem::create_directories(small);
  if (::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=400k") != 0)
    GTEST_SKIP() << "a small file system needs the right to mount";
  file = small + "/journal.db";
  {
    auto journal = open_now().journal;
    await(journal->begin_run(run("r1")));
    journal->append_event(1, "kept");
    StageRecord large = record();
    large.observation = std::string(1 << 20, 'x');
    std::string message = message_of([&] { await(journal->stage_done("k", large)); });
    EXPECT_THAT(message, HasSubstr("the disk is full"));
    EXPECT_THAT(message, HasSubstr("free some space"));
    await(journal->stage_done("k", record()));
    EXPECT_THAT(await(journal->run_events("r1")), SizeIs(1));
  }
  ::umount(small.c_str());
}

}  // namespace
}  // namespace blackstart::journal

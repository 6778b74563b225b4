#include "orchestrator/journal/journal.h"

#include <filesystem>

#include "orchestrator/base/hex.h"
#include "orchestrator/journal/recorder.h"
#include "orchestrator/world/failpoint.h"

namespace blackstart::journal {
namespace {

constexpr int64_t kEventsPerRun = 100'000;

/// Does `later` say nothing that `earlier` does not say? When it was seen again is not kept.
bool says_the_same(const StageRecord& earlier, const StageRecord& later) {
  return earlier.digest == later.digest && earlier.observation == later.observation &&
         earlier.outputs == later.outputs;
}

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(World& world, const std::string& file, bool read_only, OpenFile opened)
      : clock_(world.clock),
        file_(file),
        read_only_(read_only),
        recorder_(std::make_shared<Recorder>(world, file, std::move(opened))) {}

  /// A batch may still be on its way: what comes of it is nobody's any more.
  ~SqliteJournal() override { recorder_->on_damage = nullptr; }

  std::optional<StageRecord> stage(const std::string& name) const override {
    auto found = state().stages.find(name);
    return found == state().stages.end() ? std::nullopt : std::optional(found->second);
  }

  std::vector<OpenIntent> open_intents(const std::string& stage) const override {
    std::vector<OpenIntent> result;
    for (const auto& [id, intent] : state().intents) {
      if (intent.stage == stage) result.push_back(intent);
    }
    return result;
  }

  Task<void> begin_run(RunInfo run) override {
    recorder_->set_run(run);
    events_ = 0;
    auto write = [run = std::move(run)](Database& database) {
      insert_run(database, run);
      note_saved_plan(database, run.saved_plan);
      trim_history(database);
    };
    return commit("begin_run", std::move(write), [] {});
  }

  Task<void> end_run(std::string run, std::string result, int exit_code) override {
    auto write = [run, result, exit_code, now = now()](Database& database) {
      close_run(database, run, result, exit_code, now);
      if (exit_code == 0) note_saved_plan(database, "");
    };
    return commit("end_run", std::move(write), [] {});
  }

  Task<int64_t> intent(std::string run, std::string stage, std::string action, std::string digest,
                       bool once) override {
    OpenIntent intent{state().next_intent++, run, stage, action, digest, once, now()};
    auto write = [intent](Database& database) { insert_intent(database, intent); };
    auto then = [this, intent] { state().intents.emplace(intent.id, intent); };
    return answer(commit("intent", std::move(write), std::move(then)), intent.id);
  }

  Task<void> outcome(int64_t intent_id, std::string result, std::string detail) override {
    auto write = [intent_id, result, detail, now = now()](Database& database) {
      close_intent(database, intent_id, result, detail, now);
    };
    return commit("outcome", std::move(write),
                  [this, intent_id] { state().intents.erase(intent_id); });
  }

  Task<void> settle(std::string stage, std::string how) override {
    if (open_intents(stage).empty()) return nothing();
    auto write = [stage, how, now = now()](Database& database) {
      close_intents(database, stage, how, now);
    };
    auto then = [this, stage] {
      std::erase_if(state().intents,
                    [&](const auto& entry) { return entry.second.stage == stage; });
    };
    return commit("settle", std::move(write), std::move(then));
  }

  Task<void> stage_done(std::string stage, StageRecord record) override {
    auto write = [stage, record](Database& database) { write_stage(database, stage, record); };
    return commit("stage_done", std::move(write),
                  [this, stage, record] { state().stages[stage] = record; });
  }

  void note_satisfied(std::string stage, StageRecord record) override {
    if (read_only_) return;
    auto known = state().stages.find(stage);
    if (known != state().stages.end()) {
      // To find nothing to do is no estimate of how long doing it takes.
      record.elapsed_ms = known->second.elapsed_ms;
      if (says_the_same(known->second, record)) return;
    }
    state().stages[stage] = record;
    recorder_->add([stage = std::move(stage), record = std::move(record)](Database& database) {
      write_stage(database, stage, record);
    });
  }

  Task<void> forget_stage(std::string stage) override {
    auto write = [stage](Database& database) { delete_stage(database, stage); };
    return commit("forget_stage", std::move(write), [this, stage] { state().stages.erase(stage); });
  }

  void append_event(uint64_t sequence, std::string line) override {
    if (read_only_ || ++events_ > kEventsPerRun) return;
    recorder_->add_event(sequence, std::move(line));
  }

  Task<void> flush() override { co_await recorder_->flush(); }

  Task<std::optional<std::vector<std::string>>> begun_by(std::string saved_plan) override {
    return query<std::optional<std::vector<std::string>>>(
        [saved_plan](Database& database) { return read_begun(database, saved_plan); });
  }

  Task<std::vector<RunInfo>> runs(size_t limit) override {
    return query<std::vector<RunInfo>>(
        [limit](Database& database) { return read_runs(database, limit); });
  }

  Task<std::vector<std::string>> run_events(std::string run) override {
    return query<std::vector<std::string>>(
        [run](Database& database) { return read_events(database, run); });
  }

  void on_damage(std::function<void(const Damage&)> tell) override {
    recorder_->on_damage = std::move(tell);
  }

 private:
  State& state() const { return recorder_->state(); }
  WallTime now() const { return clock_.wall_time(); }

  static Task<void> nothing() { co_return; }

  static Task<int64_t> answer(Task<void> task, int64_t number) {
    co_await std::move(task);
    co_return number;
  }

  /// `then` brings what is in memory up to date once the write is durable. The callers are no
  /// coroutines: g++ 12 destroys twice what a lambda captures that is made inside a co_await.
  Task<void> commit(const char* name, Write write, std::function<void()> then) {
    if (read_only_)
      throw Error(ErrorClass::kBug, "the journal " + file_ + " was opened for reading only");
    [[maybe_unused]] const std::string before = std::string("journal.") + name + ".before";
    [[maybe_unused]] const std::string after = std::string("journal.") + name + ".after";
    BLACKSTART_FAILPOINT(before);
    co_await recorder_->commit(std::move(write));
    then();
    BLACKSTART_FAILPOINT(after);
  }

  template <class Result>
  Task<Result> query(std::function<Result(Database&)> ask) {
    co_await flush();
    auto result = std::make_shared<Result>();
    Write read = [result, ask](Database& database) { *result = ask(database); };
    co_await recorder_->read(std::move(read));
    co_return std::move(*result);
  }

  Clock& clock_;
  const std::string file_;
  const bool read_only_;
  std::shared_ptr<Recorder> recorder_;
  int64_t events_ = 0;  // of the current run
};

}  // namespace

Task<Opened> open(World& world, std::string file, bool read_only) {
  if (!read_only) {
    world.files.make_folders(std::filesystem::path(file).parent_path());
    // SQLite would make it readable for all, and gives the files beside it the same permissions.
    if (world.files.kind(file) == FileKind::kMissing) world.files.write(file, "", 0600);
  }
  auto opened = std::make_shared<OpenFile>();
  std::function<void()> work = [opened, file, read_only, now = world.clock.wall_time()] {
    *opened = open_file(file, read_only, now);
  };
  std::optional<DatabaseError> failure;
  try {
    co_await world.blocking.run(std::move(work));
  } catch (const DatabaseError& error) {
    failure = error;
  }
  if (failure) throw journal_error("open", file, *failure);
  Opened result;
  if (!opened->damage.empty()) result.damage = Damage{opened->set_aside, opened->damage};
  result.journal = std::make_unique<SqliteJournal>(world, file, read_only, std::move(*opened));
  co_return result;
}

std::string new_run_id(World& world) {
  std::string time = format_utc(world.clock.wall_time());  // 2026-01-02T03:04:05.006Z
  std::string id = time.substr(0, 4) + time.substr(5, 2) + time.substr(8, 2) + "-" +
                   time.substr(11, 2) + time.substr(14, 2) + time.substr(17, 2);
  return id + "-" + hex(world.random.bytes(2));
}

}  // namespace blackstart::journal

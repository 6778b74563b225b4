// The witness: what was intended, what came of it, what was seen. SQLite, WAL, full sync, 0600.
//
// The cluster is the truth; without the journal history is lost, never correctness. What must be
// known before a side effect (intents) is committed before the call returns; what was merely seen
// (observations, events) is written in batches.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/world/world.h"

namespace blackstart::journal {

struct RunInfo {
  std::string id;       // from new_run_id()
  std::string command;  // "apply", "destroy", …
  std::string plan_name;
  std::string plan_digest;
  std::string environment;
  std::string user;
  std::string host;
  int pid = 0;
  WallTime started;
  std::optional<WallTime> ended;
  std::string result;  // empty while it runs or when it died
  int exit_code = 0;
  std::string saved_plan;  // digest of what it carries out; empty = none. Not kept with the run
};

/// What is remembered of one stage: the newest of each kind.
struct StageRecord {
  std::string digest;  // of the inputs when it was last done
  std::string run;     // that run's id
  WallTime done_at;
  std::string observation;                     // the sentence then
  int64_t elapsed_ms = 0;                      // how long it took when it last acted; 0 = never
  std::map<std::string, std::string> outputs;  // JSON texts; never secret ones
};

/// An action that was begun and whose outcome was never written: we died in between.
struct OpenIntent {
  int64_t id = 0;
  std::string run;
  std::string stage;
  std::string action;
  std::string digest;
  bool once = false;
  WallTime started;
};

/// A journal that could not be read any more.
struct Damage {
  std::string
      set_aside;     // where it went; empty when it was opened for reading only, and left there
  std::string what;  // was wrong with it
};

/// One file per plan and target. All calls on the loop; writing happens on the blocking pool.
/// Failures throw Error(kPermanent) naming the file. Damage that a write meets is healed: the file
/// is set aside and a new one made of what is in memory. Keeps the events of the newest 100 runs,
/// at most 100,000 of each.
class Journal {
 public:
  virtual ~Journal() = default;

  // What was there when it was opened, kept up to date by the calls below.
  virtual std::optional<StageRecord> stage(const std::string& name) const = 0;
  virtual std::vector<OpenIntent> open_intents(const std::string& stage) const = 0;

  virtual Task<void> begin_run(RunInfo run) = 0;
  virtual Task<void> end_run(std::string run, std::string result, int exit_code) = 0;
  /// Durable when it returns. The id goes to outcome().
  virtual Task<int64_t> intent(std::string run, std::string stage, std::string action,
                               std::string digest, bool once) = 0;
  virtual Task<void> outcome(int64_t intent_id, std::string result, std::string detail) = 0;
  /// Closes the open intents of a stage whose effect has since been observed.
  virtual Task<void> settle(std::string stage, std::string how) = 0;
  virtual Task<void> stage_done(std::string stage, StageRecord record) = 0;
  /// As stage_done, but batched: for a stage that had nothing to do.
  virtual void note_satisfied(std::string stage, StageRecord record) = 0;
  virtual Task<void> forget_stage(std::string stage) = 0;
  /// Batched; `line` is the event's redacted JSON.
  virtual void append_event(uint64_t sequence, std::string line) = 0;
  virtual Task<void> flush() = 0;

  /// The stages in which the saved plan of this digest has begun to act; nullopt unless the newest
  /// run carried it out and did not come to its end.
  virtual Task<std::optional<std::vector<std::string>>> begun_by(std::string saved_plan) = 0;

  virtual Task<std::vector<RunInfo>> runs(size_t limit) = 0;
  virtual Task<std::vector<std::string>> run_events(std::string run) = 0;

  /// `tell` is called on the loop when damage is met after opening.
  virtual void on_damage(std::function<void(const Damage&)>) {}
};

struct Opened {
  std::unique_ptr<Journal> journal;
  std::optional<Damage> damage;  // met while opening
};

/// Opens or makes `file`; a damaged one is renamed to FILE.damaged-TIME and a new one begun. A
/// journal of a newer version throws Error(kPermanent). `read_only` neither makes nor changes it: a
/// missing or damaged one is read as empty.
Task<Opened> open(World& world, std::string file, bool read_only);

/// Sortable by time, unique: "20260102-030405-9f2c".
std::string new_run_id(World& world);

}  // namespace blackstart::journal

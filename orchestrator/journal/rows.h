// The rows of the journal: what is read when it is opened, and each thing that is written later.
//
// Runs on the blocking pool. All functions throw DatabaseError.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "orchestrator/journal/database.h"
#include "orchestrator/journal/journal.h"

namespace blackstart::journal {

/// What steers a run. Loaded whole when the journal is opened, kept up to date in memory.
struct State {
  std::unordered_map<std::string, StageRecord> stages;
  std::map<int64_t, OpenIntent> intents;  // the open ones
  int64_t next_intent = 1;
};

/// Rows carry a checksum, since SQLite sees a broken tree but not a flipped bit in a text; a wrong
/// one counts as damage.
State load(Database& database);
/// Writes all of `state` into an empty journal.
void store(Database& database, const State& state);

void insert_run(Database& database, const RunInfo& run);
void close_run(Database& database, const std::string& run, const std::string& result, int exit_code,
               WallTime now);
/// From now on this saved plan is being carried out: the actions that are to come are its own, and
/// those since it was first noted. Empty = none is.
void note_saved_plan(Database& database, const std::string& digest);
/// Forgets the events and closed intents of all but the newest 100 runs, and the runs themselves
/// beyond the newest 1,000.
void trim_history(Database& database);
void insert_intent(Database& database, const OpenIntent& intent);
void close_intent(Database& database, int64_t id, const std::string& result,
                  const std::string& detail, WallTime now);
void close_intents(Database& database, const std::string& stage, const std::string& how,
                   WallTime now);
void write_stage(Database& database, const std::string& stage, const StageRecord& record);
void delete_stage(Database& database, const std::string& stage);
void insert_event(Database& database, const std::string& run, uint64_t sequence,
                  const std::string& line);

/// The stages of the actions since `saved_plan` was noted; nullopt when it is not the one noted.
std::optional<std::vector<std::string>> read_begun(Database& database,
                                                   const std::string& saved_plan);
std::vector<RunInfo> read_runs(Database& database, size_t limit);  // newest first
std::vector<std::string> read_events(Database& database, const std::string& run);

}  // namespace blackstart::journal

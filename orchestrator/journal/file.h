// The journal's file: opened, set aside when damaged, its failures put into words.
//
// Runs on the blocking pool, except journal_error.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "orchestrator/base/error.h"
#include "orchestrator/journal/database.h"
#include "orchestrator/journal/rows.h"

namespace blackstart::journal {

/// An open file with what was in it.
struct OpenFile {
  std::shared_ptr<Database> database;  // null: a missing or damaged file opened for reading
  State state;
  std::string set_aside;
  std::string damage;
};

/// See journal.h, open(). `now` names the damaged file. Throws DatabaseError.
OpenFile open_file(const std::string& file, bool read_only, WallTime now);

/// Sets the file aside and makes a new one with the same state and, if it has an id, `run`.
OpenFile renew_file(const std::string& file, const State& state, const RunInfo& run,
                    const std::string& damage, WallTime now);

/// `doing`: "open", "read" or "write".
Error journal_error(const std::string& doing, const std::string& file, const DatabaseError& error);

}  // namespace blackstart::journal

#include "orchestrator/journal/rows.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <initializer_list>

namespace blackstart::journal {
namespace {

int64_t milliseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

WallTime wall_time(int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

/// FNV-1a over the fields, each with its end marked: against decay, not against forgers.
int64_t checksum(std::initializer_list<std::string_view> fields) {
  uint64_t sum = 0xCBF29CE484222325;
  auto add = [&sum](unsigned char byte) { sum = (sum ^ byte) * 0x100000001B3; };
  for (std::string_view field : fields) {
    for (char c : field) add(static_cast<unsigned char>(c));
    add(0xFF);
  }
  return static_cast<int64_t>(sum);
}

void demand(bool intact, const char* table) {
  if (!intact)
    throw DatabaseError(Trouble::kDamaged, std::string("a row of ") + table + " is broken");
}

std::string json_of(const std::map<std::string, std::string>& outputs) {
  boost::json::object object;
  for (const auto& [name, text] : outputs) object[name] = text;
  return boost::json::serialize(object);
}

std::map<std::string, std::string> outputs_of(const std::string& json) {
  std::map<std::string, std::string> outputs;
  if (json == "{}") return outputs;
  boost::system::error_code problem;
  boost::json::value value = boost::json::parse(json, problem);
  demand(!problem && value.is_object(), "stages");
  for (const auto& [name, text] : value.get_object()) {
    demand(text.is_string(), "stages");
    outputs.emplace(name, text.get_string().c_str());
  }
  return outputs;
}

int64_t checksum_of(const std::string& stage, const StageRecord& record,
                    const std::string& outputs) {
  return checksum({stage, record.digest, record.run, std::to_string(milliseconds(record.done_at)),
                   record.observation, std::to_string(record.elapsed_ms), outputs});
}

int64_t checksum_of(const OpenIntent& intent) {
  return checksum({std::to_string(intent.id), intent.run, intent.stage, intent.action,
                   intent.digest, intent.once ? "once" : "",
                   std::to_string(milliseconds(intent.started))});
}

void load_stages(Database& database, State& state) {
  Statement& rows = database.statement(
      "SELECT name, digest, run, done_at, observation, elapsed_ms, outputs, checksum FROM stages");
  while (rows.step()) {
    std::string name = rows.text(0);
    StageRecord record{rows.text(1), rows.text(2),    wall_time(rows.integer(3)),
                       rows.text(4), rows.integer(5), {}};
    std::string outputs = rows.text(6);
    demand(checksum_of(name, record, outputs) == rows.integer(7), "stages");
    record.outputs = outputs_of(outputs);
    state.stages.emplace(std::move(name), std::move(record));
  }
}

void load_intents(Database& database, State& state) {
  Statement& rows = database.statement(
      "SELECT id, run, stage, action, digest, once, started, checksum FROM intents "
      "WHERE ended IS NULL");
  while (rows.step()) {
    OpenIntent intent{rows.integer(0),
                      rows.text(1),
                      rows.text(2),
                      rows.text(3),
                      rows.text(4),
                      rows.integer(5) != 0,
                      wall_time(rows.integer(6))};
    demand(checksum_of(intent) == rows.integer(7), "intents");
    state.intents.emplace(intent.id, std::move(intent));
  }
  state.next_intent = database.number("SELECT max(id) FROM intents") + 1;
  // Closing an intent clears its checksum: one that merely looks closed must not be overlooked.
  demand(
      database.number("SELECT count(*) FROM intents WHERE (ended IS NULL) = (checksum = 0)") == 0,
      "intents");
}

/// The digest of the saved plan that is being carried out; empty = none is.
std::string noted_saved_plan(Database& database) {
  return database.text("SELECT value FROM meta WHERE key = 'saved_plan'");
}

}  // namespace

State load(Database& database) {
  State state;
  load_stages(database, state);
  load_intents(database, state);
  return state;
}

void store(Database& database, const State& state) {
  for (const auto& [name, record] : state.stages) write_stage(database, name, record);
  for (const auto& [id, intent] : state.intents) {
    RunInfo run;  // an intent belongs to a run; of an earlier one no more than this is known
    run.id = intent.run;
    run.started = intent.started;
    insert_run(database, run);
    insert_intent(database, intent);
  }
}

void insert_run(Database& database, const RunInfo& run) {
  database.run(
      "INSERT OR IGNORE INTO runs(id, command, plan_name, plan_digest, environment, user, host, "
      "pid, "
      "started) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
      run.id, run.command, run.plan_name, run.plan_digest, run.environment, run.user, run.host,
      int64_t{run.pid}, milliseconds(run.started));
}

void close_run(Database& database, const std::string& run, const std::string& result, int exit_code,
               WallTime now) {
  database.run("UPDATE runs SET ended = ?, result = ?, exit_code = ? WHERE id = ?",
               milliseconds(now), result, int64_t{exit_code}, run);
}

void note_saved_plan(Database& database, const std::string& digest) {
  // What an interrupted run of the same saved plan has begun stays its own.
  if (!digest.empty() && noted_saved_plan(database) == digest) return;
  database.execute("DELETE FROM meta WHERE key IN ('saved_plan', 'saved_plan_since')");
  if (digest.empty()) return;
  database.run("INSERT INTO meta(key, value) VALUES('saved_plan', ?)", digest);
  database.execute(
      "INSERT INTO meta(key, value) "
      "SELECT 'saved_plan_since', coalesce(max(id), 0) + 1 FROM intents");
}

void trim_history(Database& database) {
  // The old runs by name, so that what is kept need not be read.
  database.run(
      "DELETE FROM events WHERE run IN "
      "(SELECT id FROM runs ORDER BY started DESC, id DESC LIMIT -1 OFFSET 100)");
  database.run(
      "DELETE FROM intents WHERE ended IS NOT NULL AND id < (SELECT max(id) FROM intents) AND run "
      "IN "
      "(SELECT id FROM runs ORDER BY started DESC, id DESC LIMIT -1 OFFSET 100)");
  database.run(
      "DELETE FROM runs WHERE id IN "
      "(SELECT id FROM runs ORDER BY started DESC, id DESC LIMIT -1 OFFSET 1000) "
      "AND id NOT IN (SELECT run FROM intents)");
}

void insert_intent(Database& database, const OpenIntent& intent) {
  database.run(
      "INSERT INTO intents(id, run, stage, action, digest, once, started, checksum) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
      intent.id, intent.run, intent.stage, intent.action, intent.digest, int64_t{intent.once},
      milliseconds(intent.started), checksum_of(intent));
}

void close_intent(Database& database, int64_t id, const std::string& result,
                  const std::string& detail, WallTime now) {
  database.run("UPDATE intents SET ended = ?, result = ?, detail = ?, checksum = 0 WHERE id = ?",
               milliseconds(now), result, detail, id);
}

void close_intents(Database& database, const std::string& stage, const std::string& how,
                   WallTime now) {
  database.run(
      "UPDATE intents SET ended = ?, result = 'settled', detail = ?, checksum = 0 WHERE stage = ? "
      "AND ended IS NULL",
      milliseconds(now), how, stage);
}

void write_stage(Database& database, const std::string& stage, const StageRecord& record) {
  std::string outputs = json_of(record.outputs);
  database.run(
      "INSERT OR REPLACE INTO stages(name, digest, run, done_at, observation, elapsed_ms, outputs, "
      "checksum) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
      stage, record.digest, record.run, milliseconds(record.done_at), record.observation,
      record.elapsed_ms, outputs, checksum_of(stage, record, outputs));
}

void delete_stage(Database& database, const std::string& stage) {
  database.run("DELETE FROM stages WHERE name = ?", stage);
}

void insert_event(Database& database, const std::string& run, uint64_t sequence,
                  const std::string& line) {
  database.run("INSERT OR REPLACE INTO events(run, sequence, line) VALUES(?, ?, ?)", run,
               static_cast<int64_t>(sequence), line);
}

std::optional<std::vector<std::string>> read_begun(Database& database,
                                                   const std::string& saved_plan) {
  if (saved_plan.empty() || noted_saved_plan(database) != saved_plan) return std::nullopt;
  std::vector<std::string> stages;
  Statement& rows = database.statement(
      "SELECT DISTINCT stage FROM intents WHERE id >= "
      "(SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'saved_plan_since')");
  while (rows.step()) stages.push_back(rows.text(0));
  return stages;
}

std::vector<RunInfo> read_runs(Database& database, size_t limit) {
  std::vector<RunInfo> runs;
  Statement& rows = database.statement(
      "SELECT id, command, plan_name, plan_digest, environment, user, host, pid, started, ended, "
      "result, exit_code FROM runs ORDER BY started DESC, id DESC LIMIT ?");
  rows.bind(1, static_cast<int64_t>(limit));
  while (rows.step()) {
    RunInfo run{rows.text(0),
                rows.text(1),
                rows.text(2),
                rows.text(3),
                rows.text(4),
                rows.text(5),
                rows.text(6),
                static_cast<int>(rows.integer(7)),
                wall_time(rows.integer(8)),
                std::nullopt,
                rows.text(10),
                static_cast<int>(rows.integer(11))};
    if (!rows.is_null(9)) run.ended = wall_time(rows.integer(9));
    runs.push_back(std::move(run));
  }
  return runs;
}

std::vector<std::string> read_events(Database& database, const std::string& run) {
  std::vector<std::string> lines;
  Statement& rows = database.statement("SELECT line FROM events WHERE run = ? ORDER BY sequence");
  rows.bind(1, run);
  while (rows.step()) lines.push_back(rows.text(0));
  return lines;
}

}  // namespace blackstart::journal

#include "orchestrator/journal/format.h"

#include <array>

#include "orchestrator/base/text.h"

namespace blackstart::journal {
namespace {

constexpr int64_t kApplicationId = 0x424C4B53;  // "BLKS"

/// Step N brings a file from version N-1 to N. Released steps are never changed.
constexpr std::array<const char*, 1> kSteps = {R"sql(
  CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE runs(
    id TEXT PRIMARY KEY, command TEXT NOT NULL, plan_name TEXT NOT NULL, plan_digest TEXT NOT NULL,
    environment TEXT NOT NULL, user TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL,
    started INTEGER NOT NULL, ended INTEGER, result TEXT NOT NULL DEFAULT '',
    exit_code INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
  CREATE TABLE stages(
    name TEXT PRIMARY KEY, digest TEXT NOT NULL, run TEXT NOT NULL, done_at INTEGER NOT NULL,
    observation TEXT NOT NULL, elapsed_ms INTEGER NOT NULL, outputs TEXT NOT NULL,
    checksum INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE intents(
    id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs(id), stage TEXT NOT NULL,
    action TEXT NOT NULL, digest TEXT NOT NULL, once INTEGER NOT NULL, started INTEGER NOT NULL,
    checksum INTEGER NOT NULL, ended INTEGER, result TEXT, detail TEXT);
  CREATE INDEX open_intents ON intents(stage) WHERE ended IS NULL;
  CREATE INDEX intents_of_run ON intents(run);
  CREATE TABLE events(
    run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, sequence INTEGER NOT NULL,
    line TEXT NOT NULL, PRIMARY KEY(run, sequence)) WITHOUT ROWID;
)sql"};

[[noreturn]] void damaged(const std::string& why) { throw DatabaseError(Trouble::kDamaged, why); }

bool is_new(Database& database) {
  return database.number("SELECT count(*) FROM sqlite_master") == 0;
}

/// Of the tables' definitions, where a flipped bit would rename a column.
std::string definitions(Database& database) {
  return sha256_hex(database.text(
      "SELECT group_concat(type || name || tbl_name || sql, ';') FROM (SELECT * FROM sqlite_master "
      "WHERE sql IS NOT NULL ORDER BY type, name)"));
}

/// The version stands in two places, so that one flipped bit is not taken for a newer program.
int64_t version_of(Database& database) {
  if (database.number("PRAGMA application_id") != kApplicationId)
    damaged("it is not a journal of this program");
  int64_t version = database.number("PRAGMA user_version");
  if (std::to_string(version) != database.text("SELECT value FROM meta WHERE key = 'version'"))
    damaged("its two version numbers differ");
  if (version > newest_version()) {
    throw DatabaseError(Trouble::kVersion, "it has version " + std::to_string(version) +
                                               ", this program knows versions up to " +
                                               std::to_string(newest_version()));
  }
  if (definitions(database) != database.text("SELECT value FROM meta WHERE key = 'definitions'"))
    damaged("the definitions of its tables are broken");
  return version;
}

/// Only of the tables that steer a run, which are read whole anyway: checking all events at every
/// start would take longer than many runs. Damage in the rest is healed when a write meets it.
void check_structure(Database& database) {
  for (const char* table : {"meta", "stages", "intents"}) {
    std::string answer = database.text(std::string("PRAGMA quick_check(") + table + ")");
    if (answer != "ok") damaged(answer);
  }
}

void migrate(Database& database, int64_t version) {
  database.transaction([&database, version] {
    for (size_t step = static_cast<size_t>(version); step < kSteps.size(); ++step)
      database.execute(kSteps[step]);
    std::string newest = std::to_string(newest_version());
    database.execute("PRAGMA application_id = " + std::to_string(kApplicationId));
    database.execute("PRAGMA user_version = " + newest);
    const char* remember = "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)";
    database.run(remember, std::string_view("version"), newest);
    database.run(remember, std::string_view("definitions"), definitions(database));
  });
}

}  // namespace

int newest_version() { return static_cast<int>(kSteps.size()); }

void prepare(Database& database) {
  bool fresh = is_new(database);
  int64_t version = fresh ? 0 : version_of(database);
  if (!fresh) check_structure(database);
  database.text("PRAGMA journal_mode = WAL");
  database.execute("PRAGMA synchronous = FULL");
  database.execute("PRAGMA foreign_keys = ON");
  if (version < newest_version()) migrate(database, version);
}

void check(Database& database) {
  if (version_of(database) < newest_version()) {
    throw DatabaseError(Trouble::kVersion,
                        "it was made by an older version; the next apply brings it up to date");
  }
  check_structure(database);
}

}  // namespace blackstart::journal

#include "orchestrator/journal/database.h"

#include <sqlite3.h>

#include <filesystem>

namespace blackstart::journal {
namespace {

constexpr int kBusyTimeoutMs = 5000;

Trouble trouble_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return Trouble::kDamaged;
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return Trouble::kStatement;
    case SQLITE_FULL: return Trouble::kFull;
    case SQLITE_READONLY: return Trouble::kReadOnly;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return Trouble::kCannotOpen;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Trouble::kBusy;
    case SQLITE_IOERR: return Trouble::kInputOutput;
    default: return Trouble::kOther;
  }
}

[[noreturn]] void fail(sqlite3* database, int code) {
  throw DatabaseError(trouble_of(code), sqlite3_errmsg(database));
}

/// A cleanly closed journal in a folder that we may not write to: SQLite cannot make the shared
/// memory file that WAL needs, but without a -wal file nothing can change under us.
std::string immutable_uri(const std::string& file) {
  std::string uri = "file:";
  for (char c : file) {
    bool special = c == '%' || c == '?' || c == '#';
    char escaped[4];
    std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned>(c));
    uri += special ? std::string(escaped) : std::string(1, c);
  }
  return uri + "?immutable=1";
}

bool readable(sqlite3* database) {
  return sqlite3_exec(database, "SELECT count(*) FROM sqlite_master", nullptr, nullptr, nullptr) ==
         SQLITE_OK;
}

}  // namespace

Statement::Statement(sqlite3* database, const char* sql) : database_(database) {
  int code = sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code != SQLITE_OK) fail(database, code);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Statement::bind(int position, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  int code =
      sqlite3_bind_text64(statement_, position, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) fail(database_, code);
}

void Statement::bind(int position, int64_t number) {
  int code = sqlite3_bind_int64(statement_, position, number);
  if (code != SQLITE_OK) fail(database_, code);
}

bool Statement::step() {
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  std::string message = sqlite3_errmsg(database_);
  sqlite3_reset(statement_);
  throw DatabaseError(trouble_of(code), std::move(message));
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string() : std::string(data, size);
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Database::Database(const std::string& file, Mode mode) {
  int flags =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  int code = sqlite3_open_v2(file.c_str(), &database_, flags, nullptr);
  bool blocked = mode == Mode::kReadOnly && (code != SQLITE_OK || !readable(database_)) &&
                 trouble_of(sqlite3_errcode(database_)) == Trouble::kCannotOpen;
  if (blocked && !std::filesystem::exists(file + "-wal")) {
    sqlite3_close(database_);
    code =
        sqlite3_open_v2(immutable_uri(file).c_str(), &database_, flags | SQLITE_OPEN_URI, nullptr);
  }
  if (code != SQLITE_OK) {
    std::string message = sqlite3_errmsg(database_);
    sqlite3_close(database_);
    throw DatabaseError(trouble_of(code), std::move(message));
  }
  sqlite3_extended_result_codes(database_, 1);
  sqlite3_busy_timeout(database_, kBusyTimeoutMs);
}

Database::~Database() {
  statements_.clear();
  sqlite3_close(database_);
}

void Database::execute(const std::string& sql) {
  int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(database_, code);
}

Statement& Database::statement(const char* sql) {
  auto& prepared = statements_[sql];
  if (!prepared) prepared = std::make_unique<Statement>(database_, sql);
  prepared->reset();
  return *prepared;
}

int64_t Database::number(const std::string& sql) {
  Statement query(database_, sql.c_str());
  return query.step() ? query.integer(0) : 0;
}

std::string Database::text(const std::string& sql) {
  Statement query(database_, sql.c_str());
  return query.step() ? query.text(0) : std::string();
}

void Database::roll_back() noexcept {
  // Some failures (a full disk) have rolled back already; then this fails and nothing is lost.
  sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace blackstart::journal

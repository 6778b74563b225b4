// SQLite behind a small face: statements prepared once, transactions, failures by kind.
//
// Used on the blocking pool only, by one thread at a time.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace blackstart::journal {

enum class Trouble {
  kDamaged,
  kStatement,  // our SQL does not fit the file: damage when it comes while opening, else our bug
  kVersion,    // of another version of this program
  kFull,
  kReadOnly,
  kCannotOpen,
  kBusy,
  kInputOutput,
  kOther,
};

class DatabaseError : public std::exception {
 public:
  DatabaseError(Trouble trouble, std::string message)
      : trouble_(trouble), message_(std::move(message)) {}
  Trouble trouble() const { return trouble_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  Trouble trouble_;
  std::string message_;
};

/// A prepared statement. Failures throw DatabaseError.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Makes it ready for new values.
  void reset();
  void bind(int position, std::string_view text);  // positions count from 1
  void bind(int position, int64_t number);
  /// Moves to the next row; false = there is none.
  bool step();

  std::string text(int column) const;  // columns count from 0
  int64_t integer(int column) const;
  bool is_null(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly };

  Database(const std::string& file, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs SQL text that has neither values nor a result.
  void execute(const std::string& sql);
  /// The statement for `sql`, ready for values. Prepared at the first use; `sql` is a literal.
  Statement& statement(const char* sql);
  /// Binds all values in order and runs to the end.
  template <class... Values>
  void run(const char* sql, const Values&... values) {
    Statement& prepared = statement(sql);
    int position = 0;
    (prepared.bind(++position, values), ...);
    while (prepared.step()) {
    }
    prepared.reset();
  }
  /// The first column of the first row as a number or text; zero or empty without a row.
  int64_t number(const std::string& sql);
  std::string text(const std::string& sql);

  /// Runs `work` in one write transaction; rolls back and rethrows when it throws.
  template <class Work>
  void transaction(Work work) {
    execute("BEGIN IMMEDIATE");
    try {
      work();
      execute("COMMIT");
    } catch (...) {
      roll_back();
      throw;
    }
  }

 private:
  void roll_back() noexcept;

  sqlite3* database_ = nullptr;
  std::map<const char*, std::unique_ptr<Statement>> statements_;
};

}  // namespace blackstart::journal

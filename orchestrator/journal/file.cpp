#include "orchestrator/journal/file.h"

#include <filesystem>
#include <fstream>

#include "orchestrator/journal/format.h"

namespace blackstart::journal {
namespace {

namespace fs = std::filesystem;

/// "2026-01-02T03:04:05.006Z" without what some file systems refuse.
std::string stamp(WallTime now) {
  std::string text = format_utc(now).substr(0, 19);
  std::erase(text, ':');
  return text;
}

/// Moves the file and what SQLite keeps beside it out of the way; returns where the file went.
std::string set_aside(const std::string& file, WallTime now) {
  std::string base = file + ".damaged-" + stamp(now);
  std::string target = base;
  for (int i = 2; fs::exists(target); ++i) target = base + "-" + std::to_string(i);
  for (const char* part : {"", "-wal", "-shm"}) {
    std::error_code problem;
    fs::rename(file + part, target + part, problem);
    bool missing = problem == std::errc::no_such_file_or_directory;
    if (problem && !missing) {
      throw DatabaseError(Trouble::kCannotOpen,
                          "it is damaged and cannot be set aside: " + problem.message());
    }
  }
  return target;
}

/// What SQLite itself takes for an empty, a read-only or a newer database instead of a damaged one.
void check_header(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string head(100, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  auto size = static_cast<size_t>(in.gcount());
  if (size == 0) return;
  auto within = [&head](size_t at, int first, int last) {
    return head[at] >= first && head[at] <= last;
  };
  bool sane = size == head.size() && within(18, 1, 2) && within(19, 1, 2) && within(47, 0, 4) &&
              within(59, 0, 3);
  if (!sane) throw DatabaseError(Trouble::kDamaged, "its header is broken");
}

OpenFile open_writable(const std::string& file) {
  check_header(file);
  OpenFile opened;
  opened.database = std::make_shared<Database>(file, Database::Mode::kReadWrite);
  // Before the first write: SQLite gives the files beside it the same permissions.
  std::error_code problem;
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write, problem);
  prepare(*opened.database);
  opened.state = load(*opened.database);
  return opened;
}

OpenFile open_read_only(const std::string& file) {
  OpenFile opened;
  std::error_code problem;
  if (fs::file_size(file, problem) == 0 || problem) return opened;
  check_header(file);
  opened.database = std::make_shared<Database>(file, Database::Mode::kReadOnly);
  check(*opened.database);
  opened.state = load(*opened.database);
  return opened;
}

std::string words_for(Trouble trouble) {
  switch (trouble) {
    case Trouble::kFull: return "the disk is full";
    case Trouble::kReadOnly: return "it is read-only";
    case Trouble::kCannotOpen: return "the file cannot be opened";
    case Trouble::kBusy: return "another program is using it";
    case Trouble::kInputOutput: return "the disk reports an error";
    case Trouble::kDamaged: return "it is damaged";
    case Trouble::kVersion: return "it was made by another version of this program";
    case Trouble::kStatement: return "its tables are not as expected";
    case Trouble::kOther: break;
  }
  return {};
}

std::string hint_for(Trouble trouble, const std::string& file) {
  switch (trouble) {
    case Trouble::kFull: return "free some space and run the same command again; nothing is lost";
    case Trouble::kReadOnly:
    case Trouble::kCannotOpen:
      return "make the folder of " + file + " writable, or choose another one with --state";
    case Trouble::kBusy: return "end the other program and run the same command again";
    case Trouble::kInputOutput: return "check the disk, or choose another folder with --state";
    case Trouble::kDamaged: return "run the same command again: a damaged journal is set aside";
    case Trouble::kStatement: break;
    case Trouble::kVersion: return "use that version, or choose another folder with --state";
    case Trouble::kOther: break;
  }
  return {};
}

}  // namespace

OpenFile open_file(const std::string& file, bool read_only, WallTime now) {
  std::string damage;
  try {
    return read_only ? open_read_only(file) : open_writable(file);
  } catch (const DatabaseError& error) {
    bool broken = error.trouble() == Trouble::kDamaged || error.trouble() == Trouble::kStatement;
    if (!broken) throw;
    damage = error.what();
  }
  if (read_only) return {nullptr, {}, {}, damage};
  std::string where = set_aside(file, now);
  OpenFile opened = open_writable(file);
  opened.set_aside = where;
  opened.damage = damage;
  return opened;
}

OpenFile renew_file(const std::string& file, const State& state, const RunInfo& run,
                    const std::string& damage, WallTime now) {
  std::string where = set_aside(file, now);
  OpenFile opened = open_writable(file);
  opened.database->transaction([&] {
    if (!run.id.empty()) insert_run(*opened.database, run);
    store(*opened.database, state);
  });
  opened.state = state;
  opened.set_aside = where;
  opened.damage = damage;
  return opened;
}

Error journal_error(const std::string& doing, const std::string& file, const DatabaseError& error) {
  Error result(ErrorClass::kPermanent, "cannot " + doing + " the journal " + file);
  result.because(words_for(error.trouble())).because(error.what());
  return result.hint(hint_for(error.trouble(), file));
}

}  // namespace blackstart::journal

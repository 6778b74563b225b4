// Brings writes to the journal's file: durable ones at once, what was merely seen in batches.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/journal/file.h"
#include "orchestrator/world/world.h"

namespace blackstart::journal {

using Write = std::function<void(Database&)>;  // runs on the pool

/// Loop-confined; held by shared_ptr, since a batch may still be on its way when the journal goes.
class Recorder : public std::enable_shared_from_this<Recorder> {
 public:
  Recorder(World& world, std::string file, OpenFile opened);

  State& state() { return state_; }
  /// Events are kept back until there is a run that they belong to.
  void set_run(RunInfo run);
  /// See Journal.
  std::function<void(const Damage&)> on_damage;

  /// Writes what was batched so far and `write`, in one transaction, and waits for the disk. Damage
  /// is healed once: the file is set aside and made anew from state(). Throws Error(kPermanent).
  Task<void> commit(Write write);
  /// Puts a write into the batch. A full or old batch is written without anybody waiting for it.
  void add(Write write);
  void add_event(uint64_t sequence, std::string line);
  Task<void> flush();
  /// Runs a query; does nothing when there is no file. Throws Error(kPermanent).
  Task<void> read(Write query);

 private:
  struct Batch {
    std::vector<Write> writes;
    std::vector<std::pair<uint64_t, std::string>> events;
    size_t size() const { return writes.size() + events.size(); }
  };

  Batch take();
  void keep(Batch batch);
  void write_when_due();
  Task<void> perform(Write durable);
  Task<std::optional<DatabaseError>> on_pool(std::function<void()> work);
  Database& database() const;

  World& world_;
  const std::string file_;
  const bool has_file_;
  std::shared_ptr<Database> database_;  // used and replaced on the pool only
  State state_;
  RunInfo run_;
  Batch batch_;
  Instant batch_begin_;
  bool batch_running_ = false;
};

}  // namespace blackstart::journal

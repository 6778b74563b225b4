#include "orchestrator/journal/recorder.h"

#include "orchestrator/world/async.h"

namespace blackstart::journal {
namespace {

constexpr size_t kBatchRows = 500;
constexpr auto kBatchAge = std::chrono::seconds(1);
constexpr size_t kBatchRowsMax =
    20'000;  // held while the disk is full; what comes later is dropped

/// The first ones of both, so that no more than `room` are left.
template <class Row>
void put_before(std::vector<Row> first, std::vector<Row>& rest, size_t room) {
  if (first.size() > room) first.resize(room);
  first.insert(first.end(), std::make_move_iterator(rest.begin()),
               std::make_move_iterator(rest.end()));
  rest = std::move(first);
}

}  // namespace

Recorder::Recorder(World& world, std::string file, OpenFile opened)
    : world_(world),
      file_(std::move(file)),
      has_file_(opened.database != nullptr),
      database_(std::move(opened.database)),
      state_(std::move(opened.state)) {}

void Recorder::set_run(RunInfo run) { run_ = std::move(run); }

Database& Recorder::database() const {
  if (database_ == nullptr) throw DatabaseError(Trouble::kCannotOpen, "it could not be made anew");
  return *database_;
}

Recorder::Batch Recorder::take() {
  Batch batch;
  batch.writes = std::exchange(batch_.writes, {});
  if (!run_.id.empty()) batch.events = std::exchange(batch_.events, {});
  return batch;
}

void Recorder::keep(Batch batch) {
  size_t room = kBatchRowsMax - std::min(kBatchRowsMax, batch_.size());
  put_before(std::move(batch.writes), batch_.writes, room);
  put_before(std::move(batch.events), batch_.events, room);
  batch_begin_ = world_.clock.now();
}

Task<std::optional<DatabaseError>> Recorder::on_pool(std::function<void()> work) {
  std::optional<DatabaseError> failure;
  try {
    co_await world_.blocking.run(std::move(work));
  } catch (const DatabaseError& error) {
    failure = error;
  }
  co_return failure;
}

Task<void> Recorder::perform(Write durable) {
  auto self = shared_from_this();
  auto batch = std::make_shared<Batch>(take());
  std::function<void()> write = [self, batch, durable, run = run_.id] {
    Database& database = self->database();
    // What was merely seen may be lost with the power: such a batch does not wait for the disk.
    database.execute(durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    database.transaction([&] {
      for (const Write& one : batch->writes) one(database);
      if (durable) durable(database);
      for (const auto& [sequence, line] : batch->events)
        insert_event(database, run, sequence, line);
    });
  };
  std::optional<DatabaseError> failure = co_await on_pool(write);
  if (failure && failure->trouble() == Trouble::kDamaged) {
    auto renewed = std::make_shared<OpenFile>();
    std::function<void()> renew = [self, renewed, state = state_, run = run_,
                                   damage = std::string(failure->what()),
                                   now = world_.clock.wall_time()] {
      self->database_.reset();  // closed before it is moved
      *renewed = renew_file(self->file_, state, run, damage, now);
      self->database_ = renewed->database;
    };
    failure = co_await on_pool(std::move(renew));
    if (!renewed->set_aside.empty() && on_damage) on_damage({renewed->set_aside, renewed->damage});
    if (!failure) failure = co_await on_pool(write);
  }
  if (!failure) co_return;
  keep(std::move(*batch));
  throw journal_error("write", file_, *failure);
}

Task<void> Recorder::commit(Write write) { co_await perform(std::move(write)); }

Task<void> Recorder::flush() {
  bool only_early_events = batch_.writes.empty() && run_.id.empty();
  if (batch_.size() > 0 && !only_early_events) co_await perform(Write());
}

Task<void> Recorder::read(Write query) {
  if (!has_file_) co_return;
  auto self = shared_from_this();
  std::function<void()> work = [self, query] { query(self->database()); };
  std::optional<DatabaseError> failure = co_await on_pool(std::move(work));
  if (failure) throw journal_error("read", file_, *failure);
}

void Recorder::add(Write write) {
  if (batch_.size() == 0) batch_begin_ = world_.clock.now();
  if (batch_.size() < kBatchRowsMax) batch_.writes.push_back(std::move(write));
  write_when_due();
}

void Recorder::add_event(uint64_t sequence, std::string line) {
  if (batch_.size() == 0) batch_begin_ = world_.clock.now();
  if (batch_.size() < kBatchRowsMax) batch_.events.emplace_back(sequence, std::move(line));
  write_when_due();
}

/// No timer: what lies here longer goes with the next durable write or flush().
void Recorder::write_when_due() {
  bool old = world_.clock.now() - batch_begin_ >= kBatchAge;
  bool due = old || batch_.size() >= kBatchRows;
  if (!due || batch_running_ || run_.id.empty()) return;
  batch_running_ = true;
  // A failure is not reported here: the batch is kept, and the next durable write meets the same
  // trouble and says so.
  start(world_.executor, perform(Write()),
        [self = shared_from_this()](std::exception_ptr) { self->batch_running_ = false; });
}

}  // namespace blackstart::journal

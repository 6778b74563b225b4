#include "tests/simulation/machine.h"

#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "orchestrator/cli/exit_code.h"
#include "orchestrator/engine/approval.h"
#include "orchestrator/journal/event_sink.h"
#include "orchestrator/journal/lock.h"

namespace blackstart::sim {
namespace {

class Recording final : public events::Sink {
 public:
  explicit Recording(std::vector<events::Event>& events) : events_(events) {}
  void on_event(const events::Event& event) override { events_.push_back(event); }

 private:
  std::vector<events::Event>& events_;
};

/// All that one run of the program holds in memory. Members are destroyed in reverse order.
struct Process {
  std::unique_ptr<journal::RunLock> lock;
  std::unique_ptr<journal::Journal> journal;
  std::optional<plan::Plan> plan;
  std::unique_ptr<engine::Graph> graph;
  std::unique_ptr<events::Bus> bus;
  std::unique_ptr<engine::Tools> tools;
  std::unique_ptr<engine::Session> session;
};

Task<bool> say_yes(std::string) { co_return true; }

plan::Plan load(World& world, const engine::Catalog& catalog, const Request& request) {
  Diagnostics diagnostics;
  plan::Request wanted{request.plan, request.environment, {}, true};
  auto plan = plan::load(world.files, world.environment, wanted, catalog, diagnostics);
  if (plan) return std::move(*plan);
  std::string text = "the plan of the test is wrong:";
  for (const Diagnostic& finding : diagnostics.sorted())
    text += "\n" + finding.place.to_string() + ": " + finding.message;
  throw std::logic_error(text);
}

Task<void> open(Process& process, World& world, const engine::Catalog& catalog,
                const Request& request, std::string state_folder, Outcome& outcome) {
  process.plan = load(world, catalog, request);
  for (const plan::Stage& stage : process.plan->stages) outcome.stage_names.push_back(stage.name);
  process.graph = std::make_unique<engine::Graph>(*process.plan);
  bool writes = request.verb != Verb::kPreview;
  if (writes) process.lock = journal::RunLock::acquire(world, state_folder, "apply");
  auto opened = co_await journal::open(world, state_folder + "/journal.db", !writes);
  if (opened.damage) throw std::logic_error("the journal is damaged: " + opened.damage->what);
  process.journal = std::move(opened.journal);
  process.bus = std::make_unique<events::Bus>(world.clock);
  process.bus->add_sink(std::make_unique<Recording>(outcome.events));
  if (writes) process.bus->add_sink(std::make_unique<journal::EventSink>(*process.journal));
  process.tools = std::make_unique<engine::Tools>(world, process.plan->tools);
  engine::RunOptions options;
  options.parallelism = request.parallelism;
  options.saved = request.saved;
  options.confirm = say_yes;
  if (writes) {
    options.on_activity = [lock = process.lock.get()](const std::string& what) {
      lock->set_activity(what);
    };
  }
  process.session = std::make_unique<engine::Session>(
      world, *process.bus, *process.journal, *process.plan, catalog, *process.graph, *process.tools,
      journal::new_run_id(world), state_folder, std::move(options));
}

Task<void> work(engine::Session& session, const Request& request, Outcome& outcome) {
  auto roles = engine::select(session.plan, session.graph, request.selection);
  if (request.verb == Verb::kPreview) {
    outcome.result = co_await engine::preview(session, std::move(roles));
    engine::SavedPlan shown = engine::approval_of(session, outcome.result);
    outcome.shown = engine::parse_saved_plan(engine::to_text(shown), "saved");
  } else if (request.verb == Verb::kDestroy) {
    outcome.result =
        co_await engine::destroy(session, engine::removal_roles(session, std::move(roles)));
  } else {
    outcome.result = co_await engine::apply(session, std::move(roles));
  }
}

journal::RunInfo run_info(const engine::Session& session) {
  journal::RunInfo info;
  info.id = session.run_id;
  info.command = "apply";
  info.plan_name = session.plan.name;
  info.plan_digest = session.plan.digest;
  info.pid = session.world.environment.pid();
  info.started = session.world.clock.wall_time();
  if (session.options.saved) info.saved_plan = session.options.saved->digest;
  return info;
}

/// The command with the user's hands beside it.
Task<void> accompanied(engine::Session& session, const Request& request, Outcome& outcome) {
  TaskGroup company(session.world.executor);
  if (request.beside) company.spawn(request.beside(session));
  std::exception_ptr failure;
  try {
    co_await work(session, request, outcome);
  } catch (...) {
    failure = std::current_exception();
  }
  company.cancel();
  co_await company.join();
  if (failure) std::rethrow_exception(failure);
}

Task<void> program(std::shared_ptr<Process> process, World& world, const engine::Catalog& catalog,
                   const Request& request, std::string state_folder, Outcome& outcome) {
  co_await open(*process, world, catalog, request, state_folder, outcome);
  engine::Session& session = *process->session;
  bool writes = request.verb != Verb::kPreview;
  if (request.saved) {
    auto roles = engine::select(session.plan, session.graph, request.selection);
    co_await engine::refuse_if_changed(session, roles);
  }
  if (writes) {
    journal::RunInfo info = run_info(session);
    co_await session.journal.begin_run(std::move(info));
  }
  co_await accompanied(session, request, outcome);
  outcome.exit_code = cli::exit_code(outcome.result, session.graph);
  if (!writes) co_return;
  co_await session.journal.end_run(session.run_id, "ended", outcome.exit_code);
  co_await session.journal.flush();
}

/// Machines of one test after the other get the same folder: its name is part of what they say.
std::string new_folder() {
  // Memory where there is some: a sweep opens thousands of journals, each commit synced.
  std::string base = ::access("/dev/shm", W_OK) == 0
                         ? "/dev/shm"
                         : std::filesystem::temp_directory_path().string();
  for (int i = 1;; ++i) {
    std::string path =
        base + "/blackstart-sim-" + std::to_string(::getpid()) + "-" + std::to_string(i);
    if (std::filesystem::create_directory(path)) return path;
  }
}

struct Print {
  std::string& text;
  void operator()(const char*, const std::string& field) const { text += " " + field; }
  void operator()(const char*, const std::vector<std::string>& field) const {
    for (const std::string& one : field) text += " " + one;
  }
  void operator()(const char*, int64_t field) const { text += " " + std::to_string(field); }
  void operator()(const char*, bool field) const { text += field ? " yes" : " no"; }
};

}  // namespace

const engine::StageResult& Outcome::stage(const std::string& name) const {
  auto found = std::ranges::find(stage_names, name);
  if (found == stage_names.end()) throw std::out_of_range("no stage " + name);
  return result.stages.at(static_cast<size_t>(found - stage_names.begin()));
}

std::string Outcome::transcript() const {
  std::string text;
  for (const events::Event& event : events) {
    text += format_utc(event.time) + " " + events::type_of(event.payload);
    events::visit_fields(event.payload, Print{text});
    text += "\n";
  }
  return text;
}

Machine::Machine(SimWorld& world, const engine::Catalog& catalog)
    : world_(world), catalog_(catalog), state_folder_(new_folder()) {}

Machine::~Machine() {
  std::error_code ignored;
  std::filesystem::remove_all(state_folder_, ignored);
}

Outcome Machine::run(const Request& request) {
  Outcome outcome;
  Duration begin = world_.clock().elapsed();
  auto process = std::make_shared<Process>();
  try {
    Task<void> task = program(process, world_.world(), catalog_, request, state_folder_, outcome);
    outcome.end = world_.run(std::move(task), std::move(process));
  } catch (const Error& error) {
    outcome.refused = error;
    outcome.exit_code = cli::exit_code(error.error_class());
  }
  outcome.elapsed = world_.clock().elapsed() - begin;
  return outcome;
}

}  // namespace blackstart::sim

// One stage on a bench: a plan from text, the real catalog, a scripted world, an API server in
// memory.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/engine/stage.h"
#include "stages/catalog.h"
#include "tests/unit/kube/scripted_world.h"
#include "tests/unit/stages/api_double.h"

namespace blackstart::stages {

/// Where the bench keeps who the cluster is.
constexpr const char* kIdentity = "/state/cluster-identity";

/// Answers each command by a function.
class BenchProcesses final : public Processes {
 public:
  std::function<Exit(const Command&)> handler;
  std::vector<std::string> ran;  // as typed, the program by its name alone
  std::vector<int> stopped;
  std::function<void(int)> on_stop;  // may be empty
  Task<Exit> run(Command command) override;
  Task<Daemon> start_daemon(Command, std::string) override;
  bool alive(const Daemon&) const override { return true; }
  std::optional<Daemon> find(int pid) const override { return Daemon{pid, 1}; }
  Task<void> stop(Daemon daemon, Duration) override;
  void kill_all() override {}
};

class BenchEnvironment final : public Environment {
 public:
  std::map<std::string, std::string> variables{{"PATH", "/tools"}};
  int next_port = 20001;
  std::optional<std::string> get(const std::string& name) const override;
  std::map<std::string, std::string> all() const override { return variables; }
  std::string working_directory() const override { return "/p"; }
  std::string executable_path() const override { return "/bin/blackstart"; }
  std::string user() const override { return "user"; }
  std::string host() const override { return "host"; }
  int pid() const override { return 1; }
  int free_port() override { return next_port++; }
};

/// What is remembered, in memory.
class BenchJournal final : public journal::Journal {
 public:
  std::map<std::string, journal::StageRecord> records;
  std::optional<journal::StageRecord> stage(const std::string& name) const override;
  std::vector<journal::OpenIntent> open_intents(const std::string&) const override { return {}; }
  Task<void> begin_run(journal::RunInfo) override { co_return; }
  Task<void> end_run(std::string, std::string, int) override { co_return; }
  Task<int64_t> intent(std::string, std::string, std::string, std::string, bool) override {
    co_return 1;
  }
  Task<void> outcome(int64_t, std::string, std::string) override { co_return; }
  Task<void> settle(std::string, std::string) override { co_return; }
  Task<void> stage_done(std::string, journal::StageRecord) override { co_return; }
  void note_satisfied(std::string, journal::StageRecord) override {}
  Task<void> forget_stage(std::string) override { co_return; }
  void append_event(uint64_t, std::string) override {}
  Task<void> flush() override { co_return; }
  Task<std::optional<std::vector<std::string>>> begun_by(std::string) override {
    co_return std::nullopt;
  }
  Task<std::vector<journal::RunInfo>> runs(size_t) override {
    co_return std::vector<journal::RunInfo>{};
  }
  Task<std::vector<std::string>> run_events(std::string) override {
    co_return std::vector<std::string>{};
  }
};

/// The plan's last stage on the bench. Its `with:` is given as YAML, one line or several; the plan
/// has a sensitive variable `token`.
class Bench {
 public:
  /// `given`: files that are there from the beginning, by absolute path; the plan is in /p.
  Bench(const std::string& uses, const std::string& with,
        std::map<std::string, std::string> given = {}, std::string state_folder = "/state");
  ~Bench();

  std::string digest();  // of the stage's inputs as they are now
  engine::Observation observe();
  engine::Decision decide();  // observes, then decides
  engine::Decision decide_removal();
  void act(const std::string& action);
  void changed();
  /// Observes, decides and acts until satisfied; the number of actions. Throws std::logic_error
  /// when it is blocked, waits, or has not settled after ten rounds.
  int converge();
  /// All that was published, as text: what a user could get to see.
  std::string published() const;
  engine::Context& context() { return *context_; }
  void run(Task<void> task) { scripted_.run(std::move(task)); }
  engine::Stage& stage() { return *stage_; }

  /// Outputs of other stages; the plan's stage "cluster" gives `kubeconfig` unless it is cleared.
  plan::Outputs outputs;
  kube::MemoryFiles files;
  BenchProcesses processes;
  BenchEnvironment environment;
  BenchJournal journal;

 private:
  void prepare();
  kube::ScriptedWorld scripted_;

 public:
  ApiDouble api;
  kube::ScriptedHttp& http;

 private:
  World world_;
  events::Bus bus_;
  engine::Shared shared_;
  std::optional<plan::Plan> plan_;
  std::unique_ptr<engine::Tools> tools_;
  std::unique_ptr<engine::Context> context_;
  std::unique_ptr<engine::Stage> stage_;
  std::shared_ptr<std::string> published_ = std::make_shared<std::string>();
};

}  // namespace blackstart::stages

// A whole world in one thread: seeded, on virtual time, scripted, and able to crash.
//
// Everything outside the process under test (files, daemons, servers, time) lives here and survives
// its crash; everything inside it is coroutine frames on an event loop that a crash throws away.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>

#include "orchestrator/world/failpoint_world.h"
#include "orchestrator/world/world.h"
#include "tests/simulation/world/sim_clock.h"
#include "tests/simulation/world/sim_files.h"
#include "tests/simulation/world/sim_http.h"
#include "tests/simulation/world/sim_processes.h"

namespace blackstart::sim {

class SimRandom final : public Random {
 public:
  explicit SimRandom(uint64_t seed) : engine_(seed) {}
  double uniform() override { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  std::string bytes(size_t count) override;

 private:
  std::mt19937_64 engine_;
};

class SimEnvironment final : public Environment {
 public:
  std::map<std::string, std::string> variables;

  std::optional<std::string> get(const std::string& name) const override;
  std::map<std::string, std::string> all() const override { return variables; }
  std::string working_directory() const override { return "/work"; }
  std::string executable_path() const override { return "/usr/bin/blackstart"; }
  std::string user() const override { return "operator"; }
  std::string host() const override { return "simulated"; }
  int pid() const override { return pid_; }
  int free_port() override { return next_port_++; }
  void new_process() { ++pid_; }

 private:
  int pid_ = 100;
  int next_port_ = 20000;
};

class SimBlocking final : public Blocking {
 public:
  Task<void> run(std::function<void()> work) override;
};

enum class End { kDone, kCrashed };

/// An event loop that can throw its tasks away before it dies itself: what they refer to may need
/// it to go in order.
class SimLoop final : public boost::asio::io_context {
 public:
  SimLoop() : boost::asio::io_context(1) {}
  void discard_tasks() { shutdown(); }
};

class SimWorld {
 public:
  explicit SimWorld(uint64_t seed);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  World& world() { return world_; }
  SimClock& clock() { return clock_; }
  SimRandom& random() { return random_; }
  SimFiles& files() { return files_; }
  SimEnvironment& environment() { return environment_; }
  SimProcesses& processes() { return processes_; }
  SimHttp& http() { return http_; }

  /// Runs one process to its end and rethrows its exception. Throws std::runtime_error when nothing
  /// can happen any more (it says what is waited for), or too much has happened. After kCrashed all
  /// objects of the process are gone; nothing outside may still use its executor. `memory` is what
  /// its tasks refer to, given away by the caller: it goes when no task is left.
  End run(Task<void> task, std::shared_ptr<void> memory = nullptr);
  /// Kills the process: no coroutine runs any further. Called from within run().
  void crash() { crashed_ = true; }

#ifdef BLACKSTART_FAILPOINTS
  /// Crashes at the n-th failpoint (from 1) of the next run; 0 = none.
  void crash_at(size_t number) { crash_at_ = number; }
  /// The failpoints that the last run passed.
  const std::vector<std::string>& failpoints() const { return passed_; }
#endif

  size_t steps_max = 50'000'000;                    // handlers in one run
  Duration time_max = std::chrono::hours(24 * 30);  // virtual time of one run

 private:
  void drive(const bool& ended);
  void start_over(std::shared_ptr<void> memory);
  std::string what_is_open() const;

  std::unique_ptr<SimLoop> loop_;
  SimClock clock_;
  SimRandom random_;
  SimFiles files_;
  SimEnvironment environment_;
  SimBlocking blocking_;
  SimProcesses processes_{clock_};
  SimHttp http_{clock_};
#ifdef BLACKSTART_FAILPOINTS
  failpoints::FailpointProcesses shown_processes_{processes_};
  failpoints::FailpointHttp shown_http_{http_};
  Task<void> pass_failpoint(std::string_view name);
  std::vector<std::string> passed_;
  size_t crash_at_ = 0;
#else
  SimProcesses& shown_processes_ = processes_;
  SimHttp& shown_http_ = http_;
#endif
  World world_;
  bool crashed_ = false;
};

}  // namespace blackstart::sim

#include "tests/simulation/sweep.h"

#include <random>
#include <stdexcept>

namespace blackstart::sim {

#ifdef BLACKSTART_FAILPOINTS

namespace {

constexpr int kGoodExit = 0;

struct Undisturbed {
  std::string end_state;
  std::vector<std::string> points;  // by name, in order
};

/// One universe and all that is done to it; the first thing that goes wrong is kept.
class Trial {
 public:
  Trial(std::unique_ptr<Universe> universe, std::string title)
      : universe_(std::move(universe)), title_(std::move(title)) {}

  /// False when the run ended by itself, as it may when the point comes too late.
  bool run_and_crash(size_t point) {
    universe_->world().crash_at(point);
    Outcome run = attempt();
    if (run.end == End::kCrashed) return true;
    universe_->world().crash_at(0);
    if (run.exit_code != kGoodExit) fail("a run ended badly", run);
    return false;
  }

  void run_to_the_end() {
    Outcome run = attempt();
    if (run.end == End::kCrashed || run.exit_code != kGoodExit) fail("the run ended badly", run);
  }

  void expect_nothing_to_do() {
    int before = universe_->writes();
    Outcome run = attempt();
    if (run.exit_code != kGoodExit) fail("one more run ended badly", run);
    if (universe_->writes() != before || !run.all<events::ActionStarted>().empty())
      fail("one more run still acted", run);
  }

  void expect_end_state(const std::string& wanted) {
    std::string found = universe_->end_state();
    if (found != wanted) fail("the end differs\n" + difference(wanted, found), {});
    for (const std::string& promise : universe_->broken_promises()) fail(promise, {});
  }

  void note_crash(const std::string& where) { title_ += ", " + where; }
  const std::string& failure() const { return failure_; }

 private:
  Outcome attempt() {
    try {
      return universe_->run();
    } catch (const std::exception& problem) {
      Outcome none;
      fail(problem.what(), none);
      return none;
    }
  }

  void fail(const std::string& what, const Outcome& run) {
    if (!failure_.empty()) return;
    failure_ = title_ + ": " + what;
    if (run.refused) failure_ += ": " + run.refused->full_text();
    for (size_t i = 0; i < run.result.stages.size(); ++i) {
      const auto& stage = run.result.stages[i];
      if (stage.failure && stage.state != engine::StageState::kBlocked)
        failure_ += "\n  " + run.stage_names[i] + ": " + stage.failure->full_text();
    }
  }

  static std::string difference(const std::string& wanted, const std::string& found) {
    auto old_lines = split(wanted, '\n'), new_lines = split(found, '\n');
    std::string text;
    for (const std::string& line : old_lines)
      if (std::ranges::find(new_lines, line) == new_lines.end()) text += "  - " + line + "\n";
    for (const std::string& line : new_lines)
      if (std::ranges::find(old_lines, line) == old_lines.end()) text += "  + " + line + "\n";
    return text;
  }

  std::unique_ptr<Universe> universe_;
  std::string title_;
  std::string failure_;
};

Undisturbed run_undisturbed(const MakeUniverse& make) {
  auto universe = make();
  Outcome run = universe->run();
  Undisturbed result{universe->end_state(), universe->world().failpoints()};
  Trial trial(std::move(universe), "undisturbed");
  if (run.exit_code != kGoodExit)
    throw std::runtime_error("the undisturbed run failed:\n" + run.transcript());
  trial.expect_end_state(result.end_state);
  trial.expect_nothing_to_do();
  if (!trial.failure().empty()) throw std::runtime_error(trial.failure());
  return result;
}

std::string title_of(const std::vector<std::string>& points, size_t number) {
  return "crash at " + std::to_string(number) + " (" + points[number - 1] + ")";
}

}  // namespace

std::string SweepReport::summary() const {
  return std::to_string(points) + " points, " + std::to_string(converged) + " converge (" +
         std::to_string(second_crashes) + " of them crashed twice)";
}

SweepReport sweep(const MakeUniverse& make, const SweepOptions& options) {
  Undisturbed undisturbed = run_undisturbed(make);
  SweepReport report;
  report.points = undisturbed.points.size();
  std::mt19937_64 random(options.seed);
  for (size_t point = 1; point <= report.points; ++point) {
    Trial trial(make(), title_of(undisturbed.points, point));
    size_t second = 1 + random() % report.points;
    if (trial.run_and_crash(point)) {
      if (random() % options.second_crash_each == 0 && trial.run_and_crash(second)) {
        ++report.second_crashes;
        trial.note_crash("then at " + std::to_string(second));
      }
      trial.run_to_the_end();
    }
    trial.expect_end_state(undisturbed.end_state);
    if (random() % options.third_run_each == 0) {
      trial.expect_nothing_to_do();
      ++report.third_runs;
    }
    if (trial.failure().empty()) {
      ++report.converged;
    } else {
      report.failures.push_back(trial.failure());
    }
    if (report.failures.size() >= options.failures_most) break;
  }
  return report;
}

#endif

}  // namespace blackstart::sim

// A plan with all that belongs to it while a command works on it: state folder, lock, journal,
// events.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "orchestrator/cli/program.h"
#include "orchestrator/engine/run.h"
#include "orchestrator/engine/saved_plan.h"
#include "orchestrator/journal/lock.h"

namespace blackstart::cli {

/// Where the plan of this command line is, as an absolute path; a folder stands for its plan.yaml.
std::string plan_path(const Program& program, const std::string& given);

/// Loads the plan, or says all that is wrong with it and throws Error(kUsage).
plan::Plan load_plan(const Program& program, const plan::Request& request);
/// Only the plan's name, file and environment, for what needs no more: the history of a plan that
/// lacks a variable, or has mistakes elsewhere, is there all the same. Else as load_plan().
plan::Plan identify_plan(const Program& program, const plan::Request& request);
plan::Request request_of(const Program& program, const std::string& file);

/// --state, or the plan's own folder under the XDG state directory: one for each plan file and
/// environment.
std::string state_folder_of(const Program& program, const plan::Plan& plan);

/// What a damaged journal means to the user.
events::Notice notice_of(const journal::Damage& damage);

enum class Access { kRead, kWrite };

/// Lives for one command. With Access::kWrite it holds the run lock.
class Workspace {
 public:
  /// Opens everything; `saved` may be null and must outlive the workspace.
  static Task<std::unique_ptr<Workspace>> open(Program& program, plan::Plan plan, Access access,
                                               const engine::SavedPlan* saved = nullptr);
  ~Workspace();

  engine::Session& session() { return *session_; }
  std::vector<engine::Role> roles(const engine::Selection& selection) const;
  /// Publishes the start and, in finish(), the end of the run with the exit code that the command
  /// ends with.
  Task<void> begin();
  Task<void> finish(const engine::RunResult& result, int code);
  /// Asks on the terminal, one question at a time; --yes answers, --no-input and a missing terminal
  /// refuse. Ctrl-C ends it with Error(kCancelled).
  Task<bool> confirm(std::string question);

 private:
  Workspace(Program& program, plan::Plan plan);
  void on_signal(int signal, int count);
  Task<bool> ask(std::string question);

  Program& program_;
  plan::Plan plan_;
  engine::Graph graph_;
  std::string state_folder_;
  std::string run_id_;
  std::unique_ptr<journal::RunLock> lock_;
  std::unique_ptr<journal::Journal> journal_;
  events::Bus bus_;
  engine::Tools tools_;
  engine::Limit questions_;
  std::unique_ptr<engine::Session> session_;
  bool writes_ = false;
};

}  // namespace blackstart::cli

// What a stage type is: the one interface that everything under stages/ implements.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "orchestrator/plan/schema.h"
#include "orchestrator/world/task.h"

namespace blackstart::engine {

/// What observe() saw. "Absent" is a value, not an error. That nothing could be seen is an Error,
/// which the engine turns into unknown: never absent, never ready.
struct Observation {
  enum class State {
    kPresent,   // as wanted
    kAbsent,    // not there
    kDiffers,   // there, but not as wanted
    kDeferred,  // cannot be looked at before stage `deferred_on` has made its world
  };
  State state = State::kAbsent;
  std::string reason;  // one sentence for people; no full stop
  std::string deferred_on;
  /// Facts that later stages read; published whenever the stage is done. Keys as in the schema.
  std::map<std::string, boost::json::value> outputs;

  static Observation present(std::string reason);
  static Observation absent(std::string reason);
  static Observation differs(std::string reason);
  static Observation deferred(std::string stage);
  bool is_present() const { return state == State::kPresent; }
};

const char* to_string(Observation::State state);

/// One side effect, as `plan` shows it and `apply` does it.
struct Action {
  std::string id;                    // stable over runs, unique in the stage: "create", "apply"
  std::string summary;               // imperative: "create cluster homelab with 2 nodes"
  std::vector<std::string> details;  // what exactly, a line each: "+ Namespace argocd"
  bool once = false;                 // must not happen twice: observed before it is repeated
  /// Takes something away. Done as the first of a decision only: behind others it tells what will
  /// come, and the stage looks again before.
  bool destructive = false;

  bool operator==(const Action&) const = default;
};

/// What is to be done about an observation.
struct Decision {
  enum class Kind {
    kSatisfied,  // nothing to do
    kAct,        // `actions`, in order; then observe again
    kWait,       // nothing to do but wait: the world is on its way
    kBlocked,    // cannot go on, and waiting will not help
  };
  Kind kind = Kind::kSatisfied;
  std::string reason;               // why; a sentence
  std::string hint;                 // kBlocked, kWait: what to do about it
  std::vector<std::string> causes;  // kBlocked, kWait: the chain below `reason`, in full
  /// kWait: the things that hold it up, by name. While they stay the same a new `reason` is a
  /// detail.
  std::vector<std::string> waits_for;
  std::vector<Action> actions;

  static Decision satisfied(std::string reason = {});
  static Decision act(std::vector<Action> actions, std::string reason = {});
  static Decision act(Action action, std::string reason = {});
  static Decision wait(std::string reason);
  static Decision blocked(std::string reason, std::string hint = {});
};

/// One stage of a plan in one run. The engine calls observe -> decide -> (act -> observe -> decide
/// …) until decide says satisfied or blocked, or the deadline comes. A stage never loops, sleeps or
/// retries by itself; it may keep what it read between calls.
class Stage {
 public:
  virtual ~Stage() = default;
  /// Reads only; repeatable; sends nothing that changes anything.
  virtual Task<Observation> observe(Context& context) = 0;
  /// Pure: no I/O, no clock. Is also asked with a kDeferred observation, for `plan` on an empty
  /// machine: then says what it would do to a world without its thing.
  virtual Decision decide(const Observation& seen) const = 0;
  /// Carries out one action of the last decision. Safe to repeat, or the action is marked `once`.
  virtual Task<void> act(Context& context, const Action& action) = 0;
  /// While decide says wait: returns when observing again may give another answer. The engine
  /// bounds it; override where the world can be watched. The default waits with growing pauses.
  virtual Task<void> changed(Context& context);
  /// For `destroy`: what to take away, given what was seen. The default leaves it and says so.
  virtual Decision decide_removal(const Observation& seen) const;
  /// Called once at the end, whatever happened: stop watches here. Must not throw.
  virtual Task<void> close(Context& context);
};

/// What kind of work a stage's actions are; each kind has its own limit (Session::limit_for).
enum class Work { kLight, kProcess, kApi };

/// The catalog's entry for a stage type.
struct StageType {
  plan::StageSchema schema;
  Work work = Work::kLight;
  std::unique_ptr<Stage> (*make)();
  std::vector<std::string> tools;  // programs that its actions always need: `plan` looks for them
};

/// All stage types; stages/catalog.cpp implements it and main.cpp hands it in.
class Catalog : public plan::SchemaLookup {
 public:
  virtual const StageType* find(std::string_view uses) const = 0;
  const plan::StageSchema* find_schema(std::string_view uses) const override;
};

}  // namespace blackstart::engine

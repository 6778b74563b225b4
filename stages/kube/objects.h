// A set of manifests as a stage: the one lifecycle of everything that puts objects into the
// cluster.
//
// A stage type derives from ObjectsStage and says what it wants (`load`); comparing, showing,
// applying, waiting until all is ready, saying why it is not, and taking away are the same for all
// of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/stage.h"
#include "orchestrator/kube/apply.h"
#include "orchestrator/kube/client.h"
#include "orchestrator/kube/readiness.h"
#include "stages/kube/explainer.h"
#include "stages/kube/grace.h"
#include "stages/kube/leftovers.h"
#include "stages/kube/watches.h"

namespace blackstart::stages {

/// What a stage wants to stand in the cluster.
struct Wanted {
  kube::Manifests objects;
  std::string what;  // for sentences: "namespace argocd", "4 objects of apps/web"
  std::string default_namespace = "default";
  std::string field_manager = "blackstart";
  bool force = false;                 // take over fields that others own
  bool wait = true;                   // done means ready, not only stored
  Duration grace = kGrace;            // how long trouble that may pass must last to end the wait
  bool prune = false;                 // what we applied earlier and is not wanted any more goes
  std::vector<std::string> recreate;  // kinds that are deleted and made again when need be
  /// A secret that is in the objects and not on this machine: what is there can be looked at and
  /// taken away, but neither compared nor applied.
  std::optional<Error> missing;

  /// What follows `what` in a sentence.
  const char* is() const { return objects.size() == 1 ? " is " : " are "; }
  const char* was() const { return objects.size() == 1 ? " was " : " were "; }
};

class ObjectsStage : public engine::Stage {
 public:
  Task<engine::Observation> observe(engine::Context& context) override;
  engine::Decision decide(const engine::Observation& seen) const override;
  Task<void> act(engine::Context& context, const engine::Action& action) override;
  Task<void> changed(engine::Context& context) override;
  engine::Decision decide_removal(const engine::Observation& seen) const override;
  Task<void> close(engine::Context& context) override;

  /// Reads what is wanted, from local things alone: also called when there is no cluster yet. Asked
  /// for once for each digest of the stage's inputs.
  virtual Task<Wanted> load(engine::Context& context) = 0;

 protected:
  /// Looks closer at what was seen, before it is decided upon. An answer replaces the usual
  /// decision about anything that is not as wanted.
  virtual Task<std::optional<engine::Decision>> inspect(engine::Context& context,
                                                        kube::Client& client);
  /// Outputs of the stage once it is present.
  virtual void publish(engine::Observation& seen) const;
  /// Is it there, and did we make it? What was there before us is not taken away by `destroy`.
  bool is_ours(const kube::ObjectState& state) const;
  const Wanted& wanted() const { return wanted_; }
  const std::vector<kube::ObjectState>& states() const { return states_; }

 private:
  /// An object that is as wanted, but not ready.
  struct Unready {
    const kube::ObjectState* state;
    kube::Readiness readiness;
  };
  Task<void> compare(kube::Client& client);
  Task<engine::Observation> judge(engine::Context& context, kube::Client& client);
  Task<engine::Observation> judge_readiness(engine::Context& context, kube::Client& client);
  Task<void> look_at_leaving(kube::Client& client);
  Task<void> find_unready(kube::Client& client);
  std::string stalled_trouble() const;
  void find_immutable();
  Task<void> apply(engine::Context& context);
  Task<void> apply_objects(engine::Context& context, kube::Manifests objects);
  Task<void> take_away(engine::Context& context, kube::Manifests objects, bool come_again);
  Task<void> recreate(engine::Context& context);
  Task<void> prune(engine::Context& context);
  Task<void> remove(engine::Context& context);
  kube::Manifests changed_objects() const;
  engine::Decision act_on(const std::string& reason) const;
  std::vector<std::string> changes() const;
  engine::Decision wait_for_unready(const std::string& reason) const;

  Wanted wanted_;
  std::optional<std::string> loaded_;        // the digest that `wanted_` was read for
  std::vector<kube::ObjectState> states_;    // as last compared; empty before
  std::optional<engine::Decision> verdict_;  // of inspect(), or of what cannot become ready
  std::vector<Unready> unready_;             // the worst first
  std::string leaving_;                      // why what is being deleted is still there
  std::vector<std::string> details_;         // of why the first of them is not ready, in full
  Grace grace_;
  Explainer explainer_;
  std::map<size_t, std::string> immutable_;  // index into states_ -> what cannot be changed
  Leftovers leftovers_;
  std::string rival_;                     // another stage brings the same definition; empty = none
  std::shared_ptr<kube::Client> client_;  // outlives the watches
  Watches watches_;
};

/// How sentences say that it was not.
inline constexpr const char* kNotOurs = "not made by blackstart, as far as can be told";

}  // namespace blackstart::stages

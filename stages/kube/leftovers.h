// Objects that a stage has applied and does not want any more: what `prune` takes away.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "orchestrator/kube/apply.h"
#include "stages/kube/applied.h"

namespace blackstart::stages {

/// Loop-confined; of one stage.
class Leftovers {
 public:
  /// Brings the memory up to date with `states`, as they were just seen; with `prune` looks at each
  /// remembered object that is not among them.
  Task<void> look(engine::Context& context, kube::Client& client,
                  const std::vector<kube::ObjectState>& states, bool prune,
                  const std::string& field_manager);
  /// To be called before `states` are applied, so that a crash forgets none of them.
  Task<void> intend(engine::Context& context, const std::vector<kube::ObjectState>& states);
  void clear();
  /// Did the stage make it? False for what is not there.
  bool made(const kube::ObjectState& state, std::string_view field_manager) const;

  /// Live objects that are to go: what was remembered, is still the same, was made by us, and is
  /// wanted by no other stage.
  const kube::Manifests& to_go() const { return to_go_; }
  /// "left in place: Namespace web …", a line each.
  const std::vector<std::string>& left() const { return left_; }

 private:
  const Applied* find(const kube::ObjectRef& ref) const;
  Task<void> judge(kube::Client& client, Applied one, const std::string& field_manager);
  Task<void> spare_what_others_want(engine::Context& context);

  std::vector<Applied> memory_;  // by ref
  kube::Manifests to_go_;
  std::vector<std::string> left_;
};

}  // namespace blackstart::stages

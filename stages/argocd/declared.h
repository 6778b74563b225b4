// Argo CD's own objects as a stage: of one kind, from a file of the repository or written in the
// plan.
#pragma once

#include <string>
#include <vector>

#include "stages/kube/objects.h"

namespace blackstart::stages::argocd {

inline constexpr const char* kApiVersion = "argoproj.io/v1alpha1";

/// Once Argo CD tracks an object it is handed over: what differs is left to Argo CD, and said.
class DeclaredStage : public ObjectsStage {
 public:
  explicit DeclaredStage(std::string kind) : kind_(std::move(kind)) {}
  Task<engine::Observation> observe(engine::Context& context) override;

 protected:
  Task<Wanted> load(engine::Context& context) override;
  /// Says what is questionable about an object that is about to be declared.
  virtual void lint(engine::Context&, const kube::Manifest&) const {}

 private:
  std::string kind_;
};

/// `file`, `inline`, `namespace`, `force`: the options that all of these stages share.
std::vector<plan::OptionSpec> declared_options(const std::string& kind);
/// Exactly one of `file` and `inline`.
std::vector<std::vector<std::string>> declared_choice();

}  // namespace blackstart::stages::argocd

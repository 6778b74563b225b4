#include "stages/argocd/declared.h"

#include "orchestrator/base/text.h"
#include "stages/argocd/handover.h"
#include "stages/kube/sources.h"

namespace blackstart::stages::argocd {
namespace {

using engine::Observation;
using plan::OptionType;

/// The Application that tracks all that is not as wanted; empty when some of it is missing or
/// tracked by none.
std::string keeper_of(const std::vector<kube::ObjectState>& states) {
  std::string keeper;
  for (const kube::ObjectState& state : states) {
    if (state.presence == kube::Presence::kSame) continue;
    if (state.presence == kube::Presence::kAbsent) return {};
    auto application = tracked_by(state.live);
    if (!application) return {};
    keeper = *application;
  }
  return keeper;
}

}  // namespace

Task<Observation> DeclaredStage::observe(engine::Context& context) {
  Observation seen = co_await ObjectsStage::observe(context);
  if (seen.state != Observation::State::kDiffers) co_return seen;
  std::string keeper = keeper_of(states());
  if (keeper.empty()) co_return seen;
  Observation handed_over = Observation::present(wanted().what + wanted().was() +
                                                 "handed over to Argo CD's Application " + keeper);
  handed_over.outputs = std::move(seen.outputs);
  co_return handed_over;
}

Task<Wanted> DeclaredStage::load(engine::Context& context) {
  bool from_file = context.has("file");
  std::string origin = from_file ? shown(context, context.text("file")) : "inline";
  kube::Manifests all =
      from_file ? read_path(context, context.text("file")) : read_inline(context.option("inline"));
  Wanted wanted;
  std::vector<std::string> names;
  for (kube::Manifest& manifest : all) {
    kube::ObjectRef ref = manifest.ref();
    if (ref.kind != kind_ || ref.group() != "argoproj.io") {
      context.warn(ref.to_string() + " in " + origin + " is left out: this stage declares " +
                   kind_ + "s");
      continue;
    }
    lint(context, manifest);
    names.push_back(ref.name);
    wanted.objects.push_back(std::move(manifest));
  }
  if (wanted.objects.empty()) {
    throw Error(ErrorClass::kUsage, origin + " holds no " + kind_)
        .at(context.stage().place)
        .hint("give a file with at least one object of apiVersion " + std::string(kApiVersion) +
              ", kind " + kind_);
  }
  wanted.what = kind_ + (names.size() == 1 ? " " : "s ") + join(names, ", ");
  wanted.default_namespace = context.text("namespace");
  wanted.force = context.flag("force");
  wanted.wait = false;  // that Argo CD brings it about is what argocd.wait is for
  co_return wanted;
}

std::vector<plan::OptionSpec> declared_options(const std::string& kind) {
  return {
      {.name = "file", .type = OptionType::kPath, .summary = "YAML file; every " + kind + " in it"},
      {.name = "inline",
       .type = OptionType::kAny,
       .summary = "the " + kind + " itself, or a list of them"},
      {.name = "namespace", .default_value = "argocd", .summary = "of objects that name none"},
      {.name = "force",
       .type = OptionType::kBoolean,
       .default_value = "false",
       .summary = "take over fields that others own"},
  };
}

std::vector<std::vector<std::string>> declared_choice() { return {{"file", "inline"}}; }

}  // namespace blackstart::stages::argocd

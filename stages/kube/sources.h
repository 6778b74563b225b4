// Where manifests come from: files, folders, kustomize, charts, the plan itself.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "orchestrator/kube/manifest.h"

namespace blackstart::stages {

/// `options` and what, with `namespace`, stands beside every `chart` that is rendered: `values`,
/// `set`, `release`.
std::vector<plan::OptionSpec> with_render_fields(std::vector<plan::OptionSpec> options);

/// `helm template` of `options.chart` with the CRDs, hooks left out. Throws Error(kUsage) for a
/// chart that is not said well, Error(kPermanent) with helm's last lines when it does not render.
Task<std::string> render_chart(engine::Context& context, const plan::Value& options);

/// A short name of a chart for sentences: "argo-cd 10.1.1", "infrastructure/argocd/chart".
std::string chart_label(engine::Context& context, const plan::Value& chart);

/// All objects of a file or folder; throws Error(kUsage) with every mistake found. None is none
/// here and below: ObjectsStage refuses a stage without any.
kube::Manifests read_path(engine::Context& context, const std::string& path);
kube::Manifests read_text(const std::string& text, const std::string& origin);
Task<kube::Manifests> read_kustomize(engine::Context& context, std::string folder);
/// A list of objects, one object, or YAML text. Throws Error(kUsage) for what is no object, or
/// there twice.
kube::Manifests read_inline(const plan::Value& value);

/// `path` as the plan would write it: relative to the plan's folder when below it.
std::string shown(engine::Context& context, const std::string& path);

}  // namespace blackstart::stages

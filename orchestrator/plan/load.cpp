#include <algorithm>
#include <set>
#include <unordered_map>

#include "orchestrator/base/path.h"
#include "orchestrator/plan/compose.h"
#include "orchestrator/plan/conform.h"
#include "orchestrator/plan/edges.h"
#include "orchestrator/plan/overlay.h"
#include "orchestrator/plan/plan.h"
#include "orchestrator/plan/scope.h"
#include "orchestrator/plan/stage_reader.h"
#include "orchestrator/plan/suggest.h"
#include "orchestrator/plan/template.h"
#include "orchestrator/plan/variables.h"

namespace blackstart::plan {
namespace {

class Loader {
 public:
  Loader(const Files& files, const Environment& process, const Request& request,
         const SchemaLookup& schemas, Diagnostics& diagnostics)
      : files_(files),
        process_(process),
        request_(request),
        schemas_(schemas),
        diagnostics_(diagnostics) {}

  Plan load() {
    plan_.file = request_.file;
    plan_.folder = folder_of(request_.file);
    sources_ = compose(files_, request_.file, diagnostics_);
    plan_.name = sources_.name;
    if (!sources_.complete)
      return std::move(plan_);  // what is missing would look like mistakes elsewhere
    check_environments(sources_, diagnostics_);
    auto chosen = choose_environment(sources_, request_, diagnostics_);
    if (!chosen) return std::move(plan_);  // what it would give would look missing elsewhere
    const EnvironmentSource* environment = *chosen;
    if (environment != nullptr) plan_.environment = environment->name;
    plan_.vars = resolve_variables(sources_, environment, request_, files_, process_, diagnostics_);
    warn_unused_variables();
    plan_.cluster = sources_.cluster;
    read_tools();
    if (environment != nullptr) {
      read_environment_confirm(*environment);
      removed_ = apply_environment(*environment, sources_.stages);
    }
    read_stages();
    check_expressions();
    connect(plan_, removed_, diagnostics_);
    plan_.digest = digest();
    return std::move(plan_);
  }

 private:
  void read_environment_confirm(const EnvironmentSource& environment) {
    if (!environment.confirm) return;
    Value confirm = resolve_node(*environment.confirm, PlanScope(plan_, nullptr), diagnostics_);
    if (confirm.kind == Value::Kind::kUnknown) return;  // reported
    if (confirm.kind == Value::Kind::kBoolean) {
      plan_.confirm = confirm.boolean;
    } else if (confirm.kind == Value::Kind::kString) {
      plan_.confirm = true;
      plan_.confirm_message = confirm.text;
    } else if (!confirm.is_null()) {
      diagnostics_.error(confirm.place, "'confirm' must be true, false or the question to ask");
    }
  }

  void read_tools() {
    PlanScope scope(plan_, nullptr);
    for (const NamedNode& tool : sources_.tools) {
      Value path = resolve_node(tool.node, scope, diagnostics_);
      if (path.kind == Value::Kind::kUnknown) continue;
      if (path.kind != Value::Kind::kString || path.text.empty()) {
        diagnostics_.error(path.place, "the tool '" + tool.name + "' must be a path");
        continue;
      }
      std::string file = absolute_path(plan_.folder, path.text);
      if (kind_of(file) == FileKind::kMissing)
        diagnostics_.error(path.place, "no such file: " + file);
      plan_.tools.emplace(tool.name, file);
    }
  }

  void warn_unused_variables() {
    std::set<std::string, std::less<>> used;
    auto note = [&](const Expression& reference) {
      if (reference.kind == Expression::Kind::kVariable) used.insert(reference.name);
    };
    auto note_stage = [&](const yaml::Node& stage) {
      visit_references(stage, note);
      if (const yaml::Node* when = stage.find("when")) visit_when_references(*when, note);
    };
    for (const NamedNode& variable : sources_.vars) visit_references(variable.node, note);
    for (const NamedNode& stage : sources_.stages) note_stage(stage.node);
    for (const NamedNode& tool : sources_.tools) visit_references(tool.node, note);
    if (sources_.cluster) visit_references(*sources_.cluster, note);
    for (const EnvironmentSource& environment : sources_.environments) {
      if (environment.confirm) visit_references(*environment.confirm, note);
      for (const NamedNode& variable : environment.vars) visit_references(variable.node, note);
      for (const NamedNode& patch : environment.stages) note_stage(patch.node);
    }
    for (const NamedNode& variable : sources_.vars) warn_unless(used, variable);
    for (const EnvironmentSource& environment : sources_.environments) {
      for (const NamedNode& variable : environment.vars) warn_unless(used, variable);
    }
  }

  void warn_unless(std::set<std::string, std::less<>>& used, const NamedNode& variable) {
    if (!used.insert(variable.name).second) return;
    diagnostics_.warning(variable.place, "variable '" + variable.name + "' is never used");
  }

  void read_stages() {
    if (sources_.stages.empty() && !diagnostics_.has_errors())
      diagnostics_.warning(sources_.spec_place, "the plan has no stages: there is nothing to do");
    plan_.stages.reserve(sources_.stages.size());
    for (NamedNode& source : sources_.stages) {
      plan_.positions.emplace(source.name, plan_.stages.size());
      plan_.stages.push_back(read_stage(std::move(source), plan_, schemas_, diagnostics_));
    }
    sources_.stages.clear();
  }

  void check_expressions() {
    Outputs none;
    PlanScope scope(plan_, &none);
    ConformContext context{diagnostics_, plan_.folder, false, {}};
    context.on_path = [this](const Value& path, const std::string& written,
                             const OptionSpec& spec) { check_path(path, written, spec); };
    for (const Stage& stage : plan_.stages) {
      read_options(stage, scope, context);
      if (stage.when) check_when(*stage.when, scope);
    }
    if (plan_.cluster) read_cluster(*plan_.cluster, scope, context);
  }

  void check_when(const yaml::Node& when, const Scope& scope) {
    try {
      evaluate_when(when, scope);
    } catch (const Error& error) {
      diagnostics_.error(error.place(), error.summary(), error.hint());
    }
  }

  void check_path(const Value& path, const std::string& written, const OptionSpec& spec) {
    const Place& origin = path.origin.known() ? path.origin : path.place;
    bool in_plan = origin.known() && origin.file->starts_with('/');
    if (in_plan && written.starts_with('/')) {
      diagnostics_.warning(
          path.place, "the path is absolute: the plan works on this machine only",
          "write it relative to the plan, or read it from a variable with fromEnv");
    }
    if (spec.may_be_missing || kind_of(path.text) != FileKind::kMissing) return;
    diagnostics_.error(path.place,
                       "no such file or folder: " + (path.sensitive ? "(sensitive)" : path.text));
  }

  FileKind kind_of(const std::string& path) {
    auto found = kinds_.find(path);
    if (found != kinds_.end()) return found->second;
    FileKind kind = FileKind::kMissing;
    try {
      kind = files_.kind(path);
    } catch (const Error&) {  // cannot be looked at: for the plan it is not there
    }
    kinds_.emplace(path, kind);
    return kind;
  }

  std::string digest() const {
    Sha256 digest;
    auto add = [&](const std::string& text) {
      digest.update(std::to_string(text.size()) + ":" + text + ";");
    };
    for (const auto& [file, content] : sources_.contents) {
      add(file);
      add(content);
    }
    add(plan_.environment);
    for (const auto& [name, variable] : plan_.vars) {
      add(name);
      add(variable.sensitive ? sha256_hex(variable.value.canonical()) : variable.value.canonical());
    }
    return digest.hex();
  }

  const Files& files_;
  const Environment& process_;
  const Request& request_;
  const SchemaLookup& schemas_;
  Diagnostics& diagnostics_;
  Sources sources_;
  Plan plan_;
  std::map<std::string, Place> removed_;
  std::unordered_map<std::string, FileKind> kinds_;
};

}  // namespace

std::optional<Plan> identify(const Files& files, const Request& request, Diagnostics& diagnostics) {
  Sources sources = compose(files, request.file, diagnostics);
  size_t errors_before = diagnostics.error_count();
  auto environment = choose_environment(sources, request, diagnostics);
  if (sources.name.empty() || !environment || diagnostics.error_count() > errors_before)
    return std::nullopt;
  Plan plan;
  plan.name = sources.name;
  plan.file = request.file;
  plan.folder = folder_of(request.file);
  if (*environment != nullptr) plan.environment = (*environment)->name;
  return plan;
}

std::optional<Plan> load(const Files& files, const Environment& environment, const Request& request,
                         const SchemaLookup& schemas, Diagnostics& diagnostics) {
  size_t errors_before = diagnostics.error_count();
  Plan plan = Loader(files, environment, request, schemas, diagnostics).load();
  if (diagnostics.error_count() > errors_before) return std::nullopt;
  return plan;
}

}  // namespace blackstart::plan

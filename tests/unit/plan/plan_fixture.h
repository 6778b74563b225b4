// A small catalog of stage types and a way to load plans from text.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/plan/plan.h"
#include "tests/unit/plan/fake_files.h"

namespace blackstart::plan {

inline OptionSpec option(std::string name, OptionType type = OptionType::kString) {
  OptionSpec spec;
  spec.name = std::move(name);
  spec.type = type;
  return spec;
}

inline OptionSpec required(OptionSpec spec) {
  spec.required = true;
  return spec;
}

inline OptionSpec with_fields(OptionSpec spec, std::vector<OptionSpec> fields) {
  spec.fields = std::move(fields);
  return spec;
}

inline OptionSpec with_default(OptionSpec spec, std::string value) {
  spec.default_value = std::move(value);
  return spec;
}

/// tool.make: every kind of option · tool.one: a one_of group · cluster.make: gives a kubeconfig ·
/// kube.apply: works in the cluster · exec: warns.
class TestCatalog final : public SchemaLookup {
 public:
  TestCatalog() {
    add_tool_make();
    StageSchema one{
        .name = "tool.one",
        .options = {option("path", OptionType::kPath), option("inline", OptionType::kAny)}};
    one.one_of = {{"path", "inline"}};
    schemas_.push_back(one);
    StageSchema cluster{.name = "cluster.make", .options = {option("nodes", OptionType::kInteger)}};
    cluster.outputs = {{"kubeconfig", "", false},
                       {"endpoint", "", false},
                       {"token", "", true},
                       {"nodes", "", false}};
    schemas_.push_back(cluster);
    schemas_.push_back({.name = "kube.apply",
                        .options = {option("manifest", OptionType::kAny)},
                        .in_cluster = true});
    schemas_.push_back({.name = "exec",
                        .options = {option("argv", OptionType::kAny)},
                        .warning = "exec can do anything: prefer a stage type"});
  }
  const StageSchema* find_schema(std::string_view uses) const override {
    for (const StageSchema& schema : schemas_) {
      if (schema.name == uses) return &schema;
    }
    return nullptr;
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const StageSchema& schema : schemas_) names.push_back(schema.name);
    return names;
  }

 private:
  void add_tool_make() {
    StageSchema make{.name = "tool.make", .outputs = {{"result", "", false}}};
    OptionSpec mode = option("mode", OptionType::kEnum);
    mode.choices = {"fast", "slow"};
    OptionSpec secret = option("password");
    secret.secret = true;
    OptionSpec argv = with_fields(option("argv", OptionType::kList), {option("")});
    argv.in_argv = true;
    argv.summary = "the command";
    OptionSpec out = option("out", OptionType::kPath);
    out.may_be_missing = true;
    OptionSpec chart = with_fields(option("chart", OptionType::kMap),
                                   {required(option("name")), option("version"),
                                    with_default(option("repo"), "https://example.com")});
    make.options = {
        option("text"),
        option("count", OptionType::kInteger),
        with_default(option("flag", OptionType::kBoolean), "yes"),
        with_default(option("wait", OptionType::kDuration), "90s"),
        mode,
        secret,
        argv,
        out,
        option("file", OptionType::kPath),
        with_fields(option("files", OptionType::kList), {option("", OptionType::kPath)}),
        chart,
        with_fields(option("sources", OptionType::kList),
                    {with_fields(option("", OptionType::kMap), chart.fields)}),
        option("labels", OptionType::kMap),
        option("any", OptionType::kAny)};
    schemas_.push_back(make);
  }

  std::vector<StageSchema> schemas_;
};

/// Everything that a load needs, with /plan/plan.yaml as the plan.
struct PlanFixture {
  FakeFiles files;
  FakeEnvironment environment;
  TestCatalog catalog;
  Request request{"/plan/plan.yaml", "", {}, true};
  Diagnostics diagnostics;

  explicit PlanFixture(std::string plan = {}) {
    files.contents["/plan/plan.yaml"] = std::move(plan);
  }

  std::optional<Plan> load() {
    return plan::load(files, environment, request, catalog, diagnostics);
  }

  /// All findings, one a line: "plan.yaml:1:2: error: message", file names without the folder.
  std::string findings() const {
    std::string text;
    for (const Diagnostic& finding : diagnostics.sorted()) {
      text += finding.place.to_string() + ": " +
              (finding.severity == Severity::kError ? "" : "warning: ") + finding.message +
              (finding.hint.empty() ? "" : " [" + finding.hint + "]") + "\n";
    }
    for (size_t at = 0; (at = text.find("/plan/", at)) != std::string::npos;) text.erase(at, 6);
    return text;
  }
};

/// The plan around a `spec`: its first line is line 5 of the file. A line break in front is
/// dropped.
inline std::string plan_with(std::string spec) {
  if (spec.starts_with('\n')) spec.erase(0, 1);
  return "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: test}\nspec:\n" + spec;
}

}  // namespace blackstart::plan

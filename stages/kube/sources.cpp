#include "stages/kube/sources.h"

#include <boost/json/serialize.hpp>
#include <map>

#include "stages/chart.h"
#include "stages/secret_value.h"

namespace blackstart::stages {
namespace {

Error failed(const std::string& what, const Exit& exit, const Place& place) {
  Error error(ErrorClass::kPermanent, what + ": " + exit.describe());
  for (auto& line : exit.last_lines(20)) error.because(std::move(line));
  return error.at(place);
}

std::string text_or(const plan::Value& options, const char* name, const std::string& fallback) {
  const plan::Value* value = options.given(name);
  return value == nullptr ? fallback : value->as_text();
}

std::vector<std::string> template_arguments(const plan::Value& options,
                                            const std::string& release) {
  std::vector<std::string> args = {"template", text_or(options, "release", release)};
  ChartReference chart = read_chart_reference(*options.find("chart"));
  args.push_back(std::move(chart.argument));
  args.insert(args.end(), chart.flags.begin(), chart.flags.end());
  args.insert(args.end(), {"--include-crds", "--no-hooks", "--skip-tests"});
  args.insert(args.end(), {"--namespace", text_or(options, "namespace", "default")});
  if (const plan::Value* values = options.given("values"))
    for (const plan::Value& file : values->as_list())
      args.insert(args.end(), {"--values", values_argument(file.as_text())});
  if (options.given("set")) args.insert(args.end(), {"--values", "-"});
  return args;
}

engine::ToolProbe helm_probe() {
  return {{"version", "--template={{.Version}}"}, "3.12.0", "5.0.0"};
}

}  // namespace

std::vector<plan::OptionSpec> with_render_fields(std::vector<plan::OptionSpec> options) {
  using plan::OptionType;
  options.push_back(
      {.name = "values",
       .type = OptionType::kList,
       .summary = "values files of the chart; later ones win",
       .fields = {{.name = "file", .type = OptionType::kPath, .summary = "a values file"}}});
  options.push_back({.name = "set",
                     .type = OptionType::kMap,
                     .summary = "values laid over the files; helm reads them from its stdin"});
  options.push_back({.name = "release",
                     .summary = "release name for the chart; default: the stage's name",
                     .in_argv = true});
  return options;
}

Task<std::string> render_chart(engine::Context& context, const plan::Value& options) {
  const plan::Value& chart = *options.find("chart");
  std::vector<std::string> args = template_arguments(options, context.stage().name);
  engine::Tool helm = co_await context.tools().require("helm", helm_probe());
  std::string home = context.tool_home("helm");
  Command command = context.tools().command(helm.path, std::move(args), home);
  command.output_limit = 64u << 20;
  if (const plan::Value* set = options.given("set")) {
    redact_sensitive(context, *set);
    command.input = boost::json::serialize(set->to_json());
  }
  std::string label = chart_label(context, chart);
  context.progress("rendering chart " + label);
  Exit exit = co_await context.world().processes.run(std::move(command));
  if (!exit.ok()) throw failed("chart " + label + " does not render", exit, chart.place);
  if (exit.truncated)
    throw Error(ErrorClass::kPermanent, "chart " + label + " renders to more than 64 MiB")
        .at(chart.place);
  co_return std::move(exit.out);
}

std::string chart_label(engine::Context& context, const plan::Value& chart) {
  ChartReference named = read_chart_reference(chart);
  return named.path.empty() ? named.name + " " + named.version : shown(context, named.path);
}

kube::Manifests read_path(engine::Context& context, const std::string& path) {
  Diagnostics diagnostics;
  auto objects = kube::load_manifests(context.world().files, path, diagnostics);
  kube::throw_if_broken(diagnostics, "manifests of " + shown(context, path));
  return objects;
}

kube::Manifests read_text(const std::string& text, const std::string& origin) {
  Diagnostics diagnostics;
  auto objects = kube::read_manifests(text, origin, diagnostics);
  kube::throw_if_broken(diagnostics, origin);
  return objects;
}

Task<kube::Manifests> read_kustomize(engine::Context& context, std::string folder) {
  std::string home = context.tool_home("kustomize");
  Command command = context.tools().command(context.tools().find("kustomize"), {}, home);
  std::string text =
      co_await kube::render_kustomize(context.world().processes, std::move(command), folder);
  co_return read_text(text, "kustomization " + shown(context, folder));
}

kube::Manifests read_inline(const plan::Value& value) {
  if (value.kind == plan::Value::Kind::kString)
    return read_text(value.text, "inline at " + value.place.to_string());
  kube::Manifests objects;
  std::map<kube::ObjectRef, Place> seen;
  auto add = [&](const plan::Value& one) {
    kube::Manifest manifest{one.to_json(), one.place};
    kube::ObjectRef ref = manifest.ref();
    if (ref.kind.empty() || ref.name.empty() || ref.api_version.empty())
      throw Error(ErrorClass::kUsage, "an object needs apiVersion, kind and metadata.name")
          .at(one.place);
    ref.api_version = ref.group();  // it is the same object in each version
    auto [first, is_new] = seen.try_emplace(ref, one.place);
    if (!is_new)
      throw Error(ErrorClass::kUsage, ref.to_string() + " is defined twice")
          .at(one.place)
          .hint("it is also defined at " + first->second.to_string() + ": remove one of them");
    objects.push_back(std::move(manifest));
  };
  if (value.kind == plan::Value::Kind::kMap) {
    add(value);
  } else {
    for (const plan::Value& one : value.as_list()) add(one);
  }
  return objects;
}

std::string shown(engine::Context& context, const std::string& path) {
  std::string folder = context.plan().folder + "/";
  return path.starts_with(folder) ? path.substr(folder.size()) : path;
}

}  // namespace blackstart::stages

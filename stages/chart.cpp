#include "stages/chart.h"

#include "orchestrator/base/error.h"

namespace blackstart::stages {
namespace {

using plan::OptionType;

constexpr const char* kEither = "a chart is either {path} or {name, repo, version}";

std::string text_of(const plan::Value& option, std::string_view key) {
  const plan::Value* text = option.given(key);
  return text == nullptr ? std::string() : text->as_text();
}

}  // namespace

std::vector<plan::OptionSpec> chart_fields() {
  return {
      {.name = "path",
       .type = OptionType::kPath,
       .summary = "chart folder or archive",
       .in_argv = true},
      {.name = "name", .summary = "name of the chart in `repo`", .in_argv = true},
      {.name = "repo", .summary = "chart repository, https://… or oci://…", .in_argv = true},
      {.name = "version", .summary = "exact version of the chart in `repo`", .in_argv = true},
  };
}

ChartReference read_chart_reference(const plan::Value& option) {
  auto misuse = [&option](const std::string& what, const std::string& hint) {
    return Error(ErrorClass::kUsage, what).at(option.place).hint(hint);
  };
  ChartReference chart{text_of(option, "path"),
                       text_of(option, "name"),
                       text_of(option, "version"),
                       text_of(option, "repo"),
                       "",
                       {}};
  if (!chart.path.empty()) {
    if (!(chart.name + chart.repo + chart.version).empty())
      throw misuse(kEither, "remove `path` or the others");
    chart.argument = chart.path;
    return chart;
  }
  if (chart.name.empty()) throw misuse(kEither, "give `path`, or `name`, `repo` and `version`");
  if (chart.repo.empty()) {
    throw misuse("chart " + chart.name + " names no repo",
                 "add `repo: https://…` or `repo: oci://…`, or use `path` for a chart in this "
                 "repository");
  }
  if (chart.version.empty()) {
    throw misuse("chart " + chart.name + " names no version",
                 "pin it: what is newest today is another one on the day of the disaster");
  }
  bool oci = chart.repo.starts_with("oci://");
  chart.argument = oci ? chart.repo + "/" + chart.name : chart.name;
  if (!oci) chart.flags = {"--repo", chart.repo};
  chart.flags.insert(chart.flags.end(), {"--version", chart.version});
  return chart;
}

std::string values_argument(const std::string& file) {
  if (file.find_first_of(",\"\n\r") == std::string::npos) return file;
  std::string quoted = "\"";
  for (char c : file) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace blackstart::stages

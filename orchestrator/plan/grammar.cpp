#include "orchestrator/plan/grammar.h"

#include <algorithm>

namespace blackstart::plan {
namespace {

OptionSpec key(std::string name, OptionType type, std::string summary) {
  OptionSpec spec;
  spec.name = std::move(name);
  spec.type = type;
  spec.summary = std::move(summary);
  return spec;
}

OptionSpec required(OptionSpec spec) {
  spec.required = true;
  return spec;
}

OptionSpec list_of(std::string name, OptionType item, std::string summary) {
  OptionSpec spec = key(std::move(name), OptionType::kList, std::move(summary));
  spec.fields.push_back(key("", item, ""));
  return spec;
}

OptionSpec choice(std::string name, std::vector<std::string> choices, std::string summary) {
  OptionSpec spec = key(std::move(name), OptionType::kEnum, std::move(summary));
  spec.choices = std::move(choices);
  return spec;
}

OptionSpec map_of(std::string name, Keys fields, std::string summary) {
  OptionSpec spec = key(std::move(name), OptionType::kMap, std::move(summary));
  spec.fields = std::move(fields);
  return spec;
}

OptionSpec retry_key() {
  return map_of(
      "retry",
      {key("attempts", OptionType::kInteger,
           "how often an action is tried, the first time included"),
       key("backoff", OptionType::kDuration, "pause before the second attempt; doubles each time"),
       key("maxBackoff", OptionType::kDuration, "longest pause")},
      "how failures that may pass are repeated");
}

OptionSpec kubeconfig_key() {
  OptionSpec spec = key("kubeconfig", OptionType::kPath,
                        "kubeconfig file, often ${{ stages.NAME.outputs.kubeconfig }}");
  spec.may_be_missing = true;
  return spec;
}

Keys stage_fields(bool patch) {
  Keys keys;
  if (!patch)
    keys.push_back(required(key("name", OptionType::kString, "a DNS label, unique in the plan")));
  OptionSpec uses = key("uses", OptionType::kString, "the stage type, e.g. helm.release");
  keys.push_back(patch ? uses : required(uses));
  keys.push_back(key("with", OptionType::kAny, "the stage type's options"));
  keys.push_back(list_of("needs", OptionType::kString, "stages that must be done before"));
  keys.push_back(
      key("when", OptionType::kAny, "true, false or an expression; false skips the stage"));
  keys.push_back(
      key("stack", OptionType::kString, "the slice of the plan it belongs to, for --stack"));
  keys.push_back(list_of("tags", OptionType::kString, "labels to select stages by"));
  keys.push_back(
      key("timeout", OptionType::kDuration, "time for the whole stage, retries included"));
  keys.push_back(retry_key());
  keys.push_back(key("confirm", OptionType::kAny, "never, once, always, or the question to ask"));
  keys.push_back(
      choice("owner", {"blackstart", "argocd"}, "argocd: acts only while its thing is absent"));
  keys.push_back(choice("onFailure", {"continue", "stop"}, "whether independent branches go on"));
  keys.push_back(key("notes", OptionType::kString, "shown when the stage fails"));
  return keys;
}

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

const Keys& document_keys() {
  static const Keys keys = {required(key("apiVersion", OptionType::kString, kApiVersion)),
                            required(key("kind", OptionType::kString, "Plan")),
                            key("metadata", OptionType::kMap, "the plan's name"),
                            required(key("spec", OptionType::kMap, "what the plan holds"))};
  return keys;
}

const Keys& metadata_keys() {
  static const Keys keys = {required(key("name", OptionType::kString, "a DNS label"))};
  return keys;
}

const Keys& include_keys() {
  static const Keys keys = {key("vars", OptionType::kMap, "variables by name"),
                            list_of("include", OptionType::kString, "files to compose the plan of"),
                            key("stages", OptionType::kList, "the stages")};
  return keys;
}

const Keys& spec_keys() {
  static const Keys keys = [] {
    Keys all = include_keys();
    all.push_back(key("defaultEnvironment", OptionType::kString, "the environment without --env"));
    all.push_back(key("environments", OptionType::kMap, "overlays by name"));
    all.push_back(key("cluster", OptionType::kMap, "the cluster that stages work on"));
    all.push_back(key("tools", OptionType::kMap, "paths of tools by name"));
    return all;
  }();
  return keys;
}

const Keys& environment_keys() {
  static const Keys keys = {
      key("confirm", OptionType::kAny, "true, false or the question to ask before a change"),
      key("vars", OptionType::kMap, "values for variables"),
      key("stages", OptionType::kMap, "patches for stages, by name")};
  return keys;
}

const Keys& cluster_keys() {
  static const Keys keys = {required(kubeconfig_key()),
                            key("context", OptionType::kString, "context in the kubeconfig")};
  return keys;
}

const Keys& variable_keys() {
  static const Keys keys = {
      required(choice("type", {"string", "integer", "number", "boolean", "list", "map", "any"},
                      "the value's type")),
      key("default", OptionType::kAny, "the value when nothing else gives one"),
      key("required", OptionType::kBoolean, "whether a value must be given"),
      key("fromEnv", OptionType::kString, "environment variable to read"),
      key("fromFile", OptionType::kString, "file to read, relative to this one"),
      key("sensitive", OptionType::kBoolean, "never shown nor stored"),
      key("description", OptionType::kString, "what it is for")};
  return keys;
}

const Keys& stage_keys() {
  static const Keys keys = stage_fields(false);
  return keys;
}

const Keys& patch_keys() {
  static const Keys keys = stage_fields(true);
  return keys;
}

bool is_dns_label(std::string_view name) {
  if (name.empty() || name.size() > 63 || name.front() == '-' || name.back() == '-') return false;
  return std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_variable_name(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || name.size() > 128 || !letter(name.front())) return false;
  return std::ranges::all_of(
      name, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace blackstart::plan

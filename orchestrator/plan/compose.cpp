#include "orchestrator/plan/compose.h"

#include <algorithm>
#include <unordered_map>

#include "orchestrator/base/path.h"
#include "orchestrator/plan/conform.h"
#include "orchestrator/plan/grammar.h"
#include "orchestrator/plan/template.h"

namespace blackstart::plan {
namespace {

constexpr size_t kIncludeDepthMax = 8;
constexpr size_t kFilesMax = 256;
constexpr yaml::Limits kPlanLimits{.expressions = true};

class Composer {
 public:
  Composer(const Files& files, Diagnostics& diagnostics)
      : files_(files), diagnostics_(diagnostics) {}

  void read_plan(const std::string& file) {
    auto root = read_document(file, {}, file.substr(file.rfind('/') + 1));
    if (!root) return;
    check(*root, 1, document_keys(), "the plan");
    read_header(*root);
    if (const yaml::Node* metadata = root->find("metadata")) {
      read_metadata(*metadata);
    } else {
      diagnostics_.error(root->place, "'metadata' is missing in the plan",
                         "write metadata: {name: my-plan}");
    }
    yaml::Node* spec = child(*root, "spec");
    if (spec == nullptr || !spec->is_map()) return;
    sources_.spec_place = spec->place;
    check(*spec, 2, spec_keys(), "spec");
    chain_.push_back(file);
    read_includes(*spec, file);
    read_common(*spec);
    read_plan_only(*spec);
  }

  Sources take() { return std::move(sources_); }

 private:
  void check(const yaml::Node& node, int levels, const Keys& keys, const std::string& what) {
    Value value = outline(node, levels);
    ConformContext context{diagnostics_, {}, false, {}};
    conform_map(value, keys, what, context);
  }

  std::optional<yaml::Node> read_document(const std::string& file, Place place,
                                          const std::string& shown) {
    auto root = read_root(file, place, shown);
    if (!root) sources_.complete = false;
    return root;
  }

  std::optional<yaml::Node> read_root(const std::string& file, Place place,
                                      const std::string& shown) {
    std::string text;
    try {
      if (!place.known()) place.file = intern_file(file);
      text = files_.read(file, kPlanLimits.bytes);
    } catch (const Error& error) {
      diagnostics_.error(place, error.full_text(), error.hint());
      return std::nullopt;
    }
    sources_.contents.emplace_back(shown, sha256_hex(text));
    Diagnostics findings;
    std::vector<yaml::Node> documents = yaml::parse(text, file, kPlanLimits, findings);
    for (const Diagnostic& finding : findings.sorted()) {
      diagnostics_.error(finding.place, finding.message, finding.hint, finding.other);
    }
    std::erase_if(documents,
                  [](const yaml::Node& node) { return node.kind == yaml::Node::Kind::kNull; });
    if (documents.size() > 1) {
      diagnostics_.error(documents[1].place, "a plan is one YAML document; this is a second one",
                         "put the stages into one list, or use include");
    }
    if (documents.empty() || !documents.front().is_map()) {
      if (!findings.has_errors()) {
        diagnostics_.error({intern_file(file), 1, 1},
                           documents.empty() ? "the file is empty" : "a plan is a map",
                           std::string("start with apiVersion: ") + kApiVersion);
      }
      return std::nullopt;
    }
    return std::move(documents.front());
  }

  static yaml::Node* child(yaml::Node& map, std::string_view key) {
    auto found = std::ranges::find(
        map.entries, key, [](const auto& entry) -> std::string_view { return entry.first.scalar; });
    return found == map.entries.end() ? nullptr : &found->second;
  }

  void read_header(const yaml::Node& root) {
    expect(root.find("apiVersion"), kApiVersion, "apiVersion");
    expect(root.find("kind"), "Plan", "kind");
  }

  void expect(const yaml::Node* node, std::string_view wanted, const char* key) {
    if (node == nullptr || node->kind != yaml::Node::Kind::kScalar || node->scalar == wanted)
      return;
    diagnostics_.error(node->place, std::string(key) + " must be " + std::string(wanted));
  }

  void read_metadata(const yaml::Node& metadata) {
    check(metadata, 1, metadata_keys(), "metadata");
    const yaml::Node* name = metadata.find("name");
    if (name == nullptr || name->kind != yaml::Node::Kind::kScalar) return;
    sources_.name = name->scalar;
    if (is_dns_label(name->scalar)) return;
    diagnostics_.error(name->place, "the plan's name must be a DNS label",
                       "lower-case letters, digits and '-', at most 63 characters");
  }

  void read_includes(const yaml::Node& spec, const std::string& file) {
    const yaml::Node* includes = spec.find("include");
    if (includes == nullptr) return;
    for (const yaml::Node& item : includes->items) {
      if (item.kind != yaml::Node::Kind::kScalar || item.scalar.empty())
        continue;  // reported by check
      if (has_expression(item)) {
        diagnostics_.error(item.place, "a name in include cannot hold ${{ }}");
        continue;
      }
      include(absolute_path(folder_of(file), item.scalar), item);
    }
  }

  void include(const std::string& file, const yaml::Node& item) {
    auto again = std::ranges::find(chain_, file);
    if (again != chain_.end()) {
      std::vector<std::string> circle(again, chain_.end());
      circle.push_back(file);
      for (std::string& name : circle) name = name.substr(name.rfind('/') + 1);
      diagnostics_.error(item.place,
                         "files include each other in a circle: " + join(circle, " -> "));
      return;
    }
    if (chain_.size() > kIncludeDepthMax) {
      diagnostics_.error(item.place, "include goes more than 8 files deep");
      return;
    }
    if (auto earlier = included_.find(file); earlier != included_.end()) {
      diagnostics_.error(item.place,
                         "the file is included twice, first at " + earlier->second.to_string(), "",
                         earlier->second);
      return;
    }
    if (included_.size() >= kFilesMax) {
      diagnostics_.error(item.place, "a plan may include at most 256 files");
      return;
    }
    included_.emplace(file, item.place);
    read_included(file, item);
  }

  void read_included(const std::string& file, const yaml::Node& item) {
    auto root = read_document(file, item.place, item.scalar);
    if (!root) return;
    check(*root, 1, document_keys(), "the included file");
    read_header(*root);
    yaml::Node* spec = child(*root, "spec");
    if (spec == nullptr || !spec->is_map()) return;
    check(*spec, 2, include_keys(), "the spec of an included file");
    chain_.push_back(file);
    read_includes(*spec, file);
    read_common(*spec);
    chain_.pop_back();
  }

  void read_common(yaml::Node& spec) {
    for (NamedNode& variable : named(spec.find("vars"))) add_variable(std::move(variable));
    for (auto& [key, value] : spec.entries) {
      if (key.scalar != "stages") continue;
      for (yaml::Node& stage : value.items) add_stage(std::move(stage));
    }
  }

  static std::vector<NamedNode> named(const yaml::Node* map) {
    std::vector<NamedNode> result;
    if (map == nullptr) return result;
    for (const auto& [key, value] : map->entries) result.push_back({key.scalar, key.place, value});
    return result;
  }

  void add_variable(NamedNode variable) {
    if (!is_variable_name(variable.name)) {
      diagnostics_.error(variable.place, "'" + variable.name + "' cannot be a variable's name",
                         "letters, digits, '_' and '-', starting with a letter");
      return;
    }
    auto [first, added] = variable_places_.emplace(variable.name, variable.place);
    if (added) {
      sources_.vars.push_back(std::move(variable));
    } else {
      diagnostics_.error(
          variable.place,
          "duplicate variable '" + variable.name + "', first at " + first->second.to_string(), "",
          first->second);
    }
  }

  void add_stage(yaml::Node stage) {
    if (sources_.stages.size() == kStagesMax) {
      diagnostics_.error(stage.place,
                         "a plan may have at most " + std::to_string(kStagesMax) + " stages");
    }
    if (sources_.stages.size() > kStagesMax) return;
    if (!stage.is_map()) {
      diagnostics_.error(stage.place, "a stage must be a map", "write - name: NAME");
      return;
    }
    const yaml::Node* name = stage.find("name");
    if (name == nullptr || name->kind != yaml::Node::Kind::kScalar) {
      diagnostics_.error(name == nullptr ? stage.place : name->place, "the stage has no name",
                         "write - name: NAME");
      return;
    }
    if (!is_dns_label(name->scalar)) {
      diagnostics_.error(name->place, "a stage's name must be a DNS label",
                         "lower-case letters, digits and '-', at most 63 characters");
      return;
    }
    auto [first, added] = stage_places_.emplace(name->scalar, name->place);
    if (!added) {
      diagnostics_.error(
          name->place,
          "duplicate stage '" + name->scalar + "', first at " + first->second.to_string(), "",
          first->second);
      return;
    }
    std::string known = name->scalar;
    sources_.stages.push_back({std::move(known), stage.place, std::move(stage)});
  }

  void read_plan_only(const yaml::Node& spec) {
    if (const yaml::Node* chosen = spec.find("defaultEnvironment")) {
      sources_.default_environment = chosen->scalar;
      sources_.default_environment_place = chosen->place;
    }
    for (const NamedNode& environment : named(spec.find("environments")))
      add_environment(environment);
    if (const yaml::Node* cluster = spec.find("cluster")) sources_.cluster = *cluster;
    sources_.tools = named(spec.find("tools"));
  }

  void add_environment(const NamedNode& source) {
    if (!is_dns_label(source.name)) {
      diagnostics_.error(source.place, "an environment's name must be a DNS label",
                         "lower-case letters, digits and '-', at most 63 characters");
    }
    check(source.node, 1, environment_keys(), "environment '" + source.name + "'");
    EnvironmentSource environment;
    environment.name = source.name;
    environment.place = source.place;
    if (const yaml::Node* confirm = source.node.find("confirm")) environment.confirm = *confirm;
    environment.vars = named(source.node.find("vars"));
    environment.stages = named(source.node.find("stages"));
    for (const NamedNode& variable : environment.vars) {
      if (is_variable_name(variable.name)) continue;
      diagnostics_.error(variable.place, "'" + variable.name + "' cannot be a variable's name");
    }
    sources_.environments.push_back(std::move(environment));
  }

  const Files& files_;
  Diagnostics& diagnostics_;
  Sources sources_;
  std::vector<std::string> chain_;         // files being read, the plan first
  std::map<std::string, Place> included_;  // file -> the include that named it
  std::map<std::string, Place> variable_places_;
  std::unordered_map<std::string, Place> stage_places_;
};

}  // namespace

Sources compose(const Files& files, const std::string& file, Diagnostics& diagnostics) {
  Composer composer(files, diagnostics);
  composer.read_plan(file);
  return composer.take();
}

}  // namespace blackstart::plan

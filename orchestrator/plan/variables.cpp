#include "orchestrator/plan/variables.h"

#include <algorithm>

#include "orchestrator/base/path.h"
#include "orchestrator/plan/conform.h"
#include "orchestrator/plan/grammar.h"
#include "orchestrator/plan/suggest.h"
#include "orchestrator/plan/template.h"

namespace blackstart::plan {
namespace {

constexpr size_t kChainMax = 64;          // variables that refer to each other
constexpr size_t kFromFileMax = 1 << 20;  // bytes
constexpr size_t kTextMax = 64u << 20;    // of all values together

/// What is known of a variable before its value is.
struct Declaration {
  std::string name;
  Place place;
  std::string type = "any";
  bool inferred = false;              // the type comes from the value, not from the author
  const yaml::Node* value = nullptr;  // the default, or what the environment says
  bool from_environment = false;  // `value` is the environment's and wins over fromEnv and fromFile
  bool required = false;          // to have a value
  bool sensitive = false;
  std::string from_env;
  std::string from_file;
  Place from_file_place;
};

bool is_null(const yaml::Node& node) {
  return !node.is_list() && !node.is_map() && !has_expression(node) &&
         yaml::scalar_value(node).is_null();
}

bool fits(const std::string& type, Value::Kind kind) {
  using Kind = Value::Kind;
  if (type == "any" || kind == Kind::kUnknown) return true;
  if (type == "string") return kind == Kind::kString;
  if (type == "integer") return kind == Kind::kInteger;
  if (type == "number") return kind == Kind::kInteger || kind == Kind::kFloat;
  if (type == "boolean") return kind == Kind::kBoolean;
  return type == "list" ? kind == Kind::kList : kind == Kind::kMap;
}

/// The type that a short `name: value` gives its variable.
std::string type_of(const yaml::Node& node) {
  if (has_expression(node)) return "any";
  switch (outline(node, 0).kind) {
    case Value::Kind::kString: return "string";
    case Value::Kind::kInteger: return "integer";
    case Value::Kind::kFloat: return "number";
    case Value::Kind::kBoolean: return "boolean";
    case Value::Kind::kList: return "list";
    case Value::Kind::kMap: return "map";
    default: return "any";
  }
}

/// A map with the key `type` is a declaration. One that has only keys of a declaration, but no
/// type, is most likely a slip, and refused rather than guessed.
bool is_declaration(const yaml::Node& node) {
  if (!node.is_map() || node.entries.empty()) return false;
  if (node.find("type") != nullptr) return true;
  return std::ranges::all_of(node.entries, [](const auto& entry) {
    return std::ranges::find(variable_keys(), entry.first.scalar, &OptionSpec::name) !=
           variable_keys().end();
  });
}

class Variables final : public Scope {
 public:
  Variables(const Sources& sources, const EnvironmentSource* environment, const Request& request,
            const Files& files, const Environment& process, Diagnostics& diagnostics)
      : environment_(environment),
        request_(request),
        files_(files),
        process_(process),
        diagnostics_(diagnostics) {
    for (const NamedNode& source : sources.vars) declare(source, false);
    if (environment != nullptr) {
      for (const NamedNode& source : environment->vars) declare(source, true);
    }
    for (const auto& [name, declaration] : declarations_) names_.push_back(name);
  }

  std::map<std::string, Variable> resolve_all() {
    check_given_names();
    for (const auto& [name, declaration] : declarations_) resolve(declaration);
    return std::move(values_);
  }

  const Value& variable(const std::string& name, Place place) const override {
    auto found = declarations_.find(name);
    if (found == declarations_.end()) {
      throw Error(ErrorClass::kUsage, "unknown variable '" + name + "'")
          .at(place)
          .hint(suggester_.among(name, [this] { return names_; }));
    }
    return const_cast<Variables*>(this)->resolve_needed(found->second, place);
  }

  std::string environment(Place place) const override {
    if (environment_ != nullptr) return environment_->name;
    throw Error(ErrorClass::kUsage, "env.name has no value: the plan has no environment").at(place);
  }

  Value output(const Expression& reference) const override {
    throw Error(ErrorClass::kUsage, "a variable cannot use a stage's output")
        .at(reference.place)
        .hint("use ${{ stages." + reference.name + ".outputs." + reference.output +
              " }} where it is needed");
  }

 private:
  void declare(const NamedNode& source, bool from_environment) {
    Declaration& declaration = declarations_[source.name];
    bool known = !declaration.name.empty();
    if (!known) {
      declaration.name = source.name;
      declaration.place = source.place;
    }
    if (is_declaration(source.node)) {
      bool was_sensitive = declaration.sensitive;
      declaration = Declaration{};
      declaration.name = source.name;
      declaration.place = source.place;
      read_declaration(source.node, declaration);
      declaration.sensitive = declaration.sensitive || was_sensitive;
      return;
    }
    if (!known) {
      declaration.type = type_of(source.node);
      declaration.inferred = true;
    } else if (declaration.inferred && type_of(source.node) == "any") {
      declaration.type = "any";
    }
    declaration.value = &source.node;
    declaration.from_environment = from_environment;
  }

  void read_declaration(const yaml::Node& node, Declaration& declaration) {
    std::string what = "the declaration of variable '" + declaration.name + "'";
    if (node.find("type") == nullptr) {
      diagnostics_.error(node.place, what + " has no type",
                         "add type: string (or another); a map that is meant as a value is written "
                         "{type: map, default: {...}}");
      return;
    }
    Value keys = outline(node, 1);
    Diagnostics findings;
    ConformContext context{findings, {}, false, {}};
    conform_map(keys, variable_keys(), what, context);
    for (const Diagnostic& finding : findings.sorted()) {
      diagnostics_.error(finding.place, finding.message,
                         finding.hint + (finding.hint.empty() ? "" : " ") +
                             "A map that is meant as a value and has a key 'type' is written "
                             "{type: map, default: {...}}");
    }
    if (findings.has_errors()) return;
    declaration.type = keys.find("type")->text;
    const yaml::Node* value = node.find("default");
    if (value != nullptr && !is_null(*value)) declaration.value = value;
    // A forgotten --var must not become null: that is for `required: false` and `default: null`.
    const Value* required = keys.find("required");
    declaration.required = required == nullptr ? value == nullptr : required->boolean;
    if (const Value* sensitive = keys.find("sensitive")) declaration.sensitive = sensitive->boolean;
    if (has_expression_in_source(node)) return;
    if (const Value* name = keys.find("fromEnv")) declaration.from_env = name->text;
    if (const Value* file = keys.find("fromFile")) {
      declaration.from_file = file->text;
      declaration.from_file_place = file->place;
    }
  }

  /// Where a value comes from is looked up before any variable has one.
  bool has_expression_in_source(const yaml::Node& node) {
    bool found = false;
    for (const char* key : {"fromEnv", "fromFile"}) {
      const yaml::Node* source = node.find(key);
      if (source == nullptr || !has_expression(*source)) continue;
      found = true;
      diagnostics_.error(source->place, std::string("'") + key + "' cannot hold ${{ }}",
                         "declare the variable in each environment, there with its own source");
    }
    return found;
  }

  void check_given_names() {
    std::map<std::string, int> seen;
    for (const auto& [name, text] : request_.vars) {
      if (++seen[name] > 1)
        diagnostics_.error(given_place(name), "--var gives '" + name + "' twice");
      if (declarations_.contains(name)) continue;
      diagnostics_.error(given_place(name),
                         "--var gives '" + name + "', which the plan does not declare",
                         suggester_.among(name, [this] { return names_; }));
    }
  }

  static Place given_place(const std::string& name) { return {intern_file("--var " + name), 0, 0}; }

  const Value& resolve_needed(const Declaration& declaration, Place place) {
    if (auto done = values_.find(declaration.name); done != values_.end())
      return done->second.value;
    auto again = std::ranges::find(chain_, declaration.name);
    if (again != chain_.end()) {
      std::vector<std::string> circle(again, chain_.end());
      circle.push_back(declaration.name);
      throw Error(ErrorClass::kUsage,
                  "variables refer to each other in a circle: " + join(circle, " -> "))
          .at(place);
    }
    if (chain_.size() >= kChainMax) {
      throw Error(ErrorClass::kUsage, "variables refer to each other more than 64 deep").at(place);
    }
    resolve(declaration);
    return values_.at(declaration.name).value;
  }

  void resolve(const Declaration& declaration) {
    if (values_.contains(declaration.name)) return;
    chain_.push_back(declaration.name);
    Variable variable;
    try {
      variable.value = find_value(declaration);
      check_type(declaration, variable.value);
      count_text(variable.value, declaration.place);
    } catch (const Error& error) {
      diagnostics_.error(error.place(), error.summary(), error.hint(), declaration.place);
      variable.value = unreadable(declaration.place);
    }
    chain_.pop_back();
    variable.sensitive = declaration.sensitive;
    if (declaration.sensitive) variable.value.taint();
    values_.emplace(declaration.name, std::move(variable));
  }

  void count_text(const Value& value, Place place) {
    text_ += value.text.size() + sizeof(Value);
    for (const Value& item : value.items) count_text(item, place);
    for (const auto& [key, child] : value.entries) count_text(child, place);
    if (text_ > kTextMax)
      throw Error(ErrorClass::kUsage, "the variables' values are larger than 64 MiB").at(place);
  }

  Value find_value(const Declaration& declaration) {
    for (const auto& [name, text] : request_.vars) {
      if (name == declaration.name) return parse_given(declaration, text, given_place(name));
    }
    bool environment_first = declaration.from_environment && declaration.value != nullptr;
    if (environment_first) return resolve_node(*declaration.value, *this, diagnostics_);
    if (!declaration.from_env.empty()) {
      auto text = process_.get(declaration.from_env);
      if (text)
        return parse_given(declaration, *text, {intern_file("$" + declaration.from_env), 0, 0});
    }
    if (auto text = read_file(declaration))
      return parse_given(declaration, *text, declaration.from_file_place);
    if (declaration.value != nullptr) return resolve_node(*declaration.value, *this, diagnostics_);
    return missing_value(declaration);
  }

  std::optional<std::string> read_file(const Declaration& declaration) {
    if (declaration.from_file.empty()) return std::nullopt;
    std::string path =
        absolute_path(folder_of(*declaration.from_file_place.file), declaration.from_file);
    if (files_.kind(path) == FileKind::kMissing) return std::nullopt;
    try {
      std::string text = files_.read(path, kFromFileMax);
      if (text.ends_with('\n')) text.pop_back();
      if (text.ends_with('\r')) text.pop_back();
      return text;
    } catch (const Error& error) {
      throw Error(ErrorClass::kUsage, error.full_text()).at(declaration.from_file_place);
    }
  }

  Value missing_value(const Declaration& declaration) {
    if (!declaration.required) {
      Value none;
      none.place = declaration.place;
      return none;
    }
    std::string hint = "give --var " + declaration.name + "=VALUE";
    if (declaration.sensitive && declaration.from_env.empty() && declaration.from_file.empty())
      hint +=
          ", or, where no history keeps it, declare it with `fromEnv: NAME` or `fromFile: PATH`";
    if (!declaration.from_env.empty())
      hint += ", or set the environment variable " + declaration.from_env;
    if (!declaration.from_file.empty()) {
      hint += ", or write the file " +
              absolute_path(folder_of(*declaration.from_file_place.file), declaration.from_file);
    }
    std::string message = "variable '" + declaration.name + "' has no value";
    if (request_.vars_required) {
      diagnostics_.error(declaration.place, message, hint);
    } else {
      diagnostics_.warning(declaration.place, message, hint);
    }
    Value unknown = unreadable(declaration.place);
    unknown.text = "vars." + declaration.name;
    return unknown;
  }

  /// Text from outside the plan: never an expression.
  Value parse_given(const Declaration& declaration, const std::string& text, Place place) {
    if (declaration.type == "string") {
      Value value;
      value.kind = Value::Kind::kString;
      value.place = place;
      value.text = text;
      return value;
    }
    Diagnostics findings;
    auto documents = yaml::parse(text, *place.file, {}, findings);
    Value value = documents.empty() ? Value{} : outline(documents.front(), 64);
    relocate(value, place);
    if (findings.has_errors() || documents.size() > 1 || !fits(declaration.type, value.kind)) {
      throw Error(ErrorClass::kUsage, "the value given for variable '" + declaration.name +
                                          "' is no " + declaration.type)
          .at(place)
          .hint("the variable is declared at " + declaration.place.to_string());
    }
    return value;
  }

  static void relocate(Value& value, Place place) {
    value.place = place;
    for (Value& item : value.items) relocate(item, place);
    for (auto& [key, child] : value.entries) relocate(child, place);
  }

  void check_type(const Declaration& declaration, const Value& value) {
    if (declaration.inferred || value.is_null() || fits(declaration.type, value.kind)) return;
    bool text = declaration.type == "string";
    throw Error(ErrorClass::kUsage, "variable '" + declaration.name + "' must be of type " +
                                        declaration.type + ", not " + value.kind_name())
        .at(value.place)
        .hint(text && value.items.empty() && value.entries.empty()
                  ? "put it in quotes to make it text"
                  : "");
  }

  const EnvironmentSource* environment_;
  const Request& request_;
  const Files& files_;
  const Environment& process_;
  Diagnostics& diagnostics_;
  std::map<std::string, Declaration> declarations_;
  std::vector<std::string> names_;
  mutable Suggester suggester_;
  std::map<std::string, Variable> values_;
  std::vector<std::string> chain_;  // being resolved, outermost first
  size_t text_ = 0;
};

}  // namespace

std::map<std::string, Variable> resolve_variables(const Sources& sources,
                                                  const EnvironmentSource* environment,
                                                  const Request& request, const Files& files,
                                                  const Environment& process,
                                                  Diagnostics& diagnostics) {
  return Variables(sources, environment, request, files, process, diagnostics).resolve_all();
}

}  // namespace blackstart::plan

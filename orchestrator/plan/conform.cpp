#include "orchestrator/plan/conform.h"

#include <algorithm>
#include <unordered_set>

#include "orchestrator/base/path.h"
#include "orchestrator/base/yaml.h"
#include "orchestrator/plan/suggest.h"
#include "orchestrator/plan/template.h"

namespace blackstart::plan {
namespace {

const char* expected(OptionType type) {
  switch (type) {
    case OptionType::kString: return "a string";
    case OptionType::kInteger: return "an integer";
    case OptionType::kBoolean: return "true or false";
    case OptionType::kDuration: return "a duration like 90s or 5m";
    case OptionType::kEnum: return "a string";
    case OptionType::kPath: return "a path";
    case OptionType::kList: return "a list";
    case OptionType::kMap: return "a map";
    case OptionType::kAny: return "a value";
  }
  return "a value";
}

bool kind_fits(OptionType type, Value::Kind kind) {
  switch (type) {
    case OptionType::kInteger: return kind == Value::Kind::kInteger;
    case OptionType::kBoolean: return kind == Value::Kind::kBoolean;
    case OptionType::kList: return kind == Value::Kind::kList;
    case OptionType::kMap: return kind == Value::Kind::kMap;
    case OptionType::kAny: return true;
    default: return kind == Value::Kind::kString;
  }
}

std::string hint_for(OptionType type, const Value& value) {
  bool scalar = value.kind == Value::Kind::kInteger || value.kind == Value::Kind::kFloat ||
                value.kind == Value::Kind::kBoolean;
  if (type == OptionType::kDuration && scalar) return "write the unit: 90s, 5m, 1h30m";
  if (kind_fits(type, Value::Kind::kString) && scalar) return "put it in quotes to make it text";
  if (type == OptionType::kList && value.kind == Value::Kind::kString)
    return "write a list: [a, b]";
  return {};
}

class Conformer {
 public:
  explicit Conformer(const ConformContext& context) : context_(context) {}

  void map(Value& value, std::span<const OptionSpec> specs, const std::string& what) {
    if (value.kind == Value::Kind::kUnknown) return;
    std::unordered_set<std::string_view> empty;
    for (auto& [key, child] : value.entries) {
      const OptionSpec* spec = find_option(specs, key);
      if (spec == nullptr) {
        unknown_key(key, child, specs, what);
      } else if (child.is_null()) {
        empty.insert(key);
      } else {
        option(child, *spec, "'" + key + "'");
      }
    }
    for (const OptionSpec& spec : specs) {
      const Value* given = value.find(spec.name);
      if (given != nullptr && !given->is_null()) continue;
      if (spec.required) missing(value, given, spec, what);
      if (context_.defaults && !spec.default_value.empty()) add_default(value, spec);
    }
    std::erase_if(value.entries, [&](const auto& entry) {
      return entry.second.is_null() && empty.contains(entry.first);
    });
  }

  void option(Value& value, const OptionSpec& spec, const std::string& name) {
    if (spec.secret) value.taint();
    if (spec.in_argv) refuse_secret(value, spec, name);
    if (value.kind == Value::Kind::kUnknown) return;
    if (!kind_fits(spec.type, value.kind)) {
      context_.diagnostics.error(
          value.place, name + " must be " + expected(spec.type) + ", not " + value.kind_text(),
          hint_for(spec.type, value));
      return;
    }
    check_kind(value, spec, name);
  }

 private:
  void unknown_key(const std::string& key, const Value& value, std::span<const OptionSpec> specs,
                   const std::string& what) {
    std::vector<std::string> known;
    for (const OptionSpec& spec : specs) known.push_back(spec.name);
    Place place = value.key_place.known() ? value.key_place : value.place;
    context_.diagnostics.error(place, "unknown key '" + key + "' in " + what, suggest(key, known));
  }

  /// Also one that is not known yet: that it will be sensitive is.
  void refuse_secret(const Value& value, const OptionSpec& spec, const std::string& name) {
    const Value* secret = value.first_sensitive();
    if (secret == nullptr) return;
    context_.diagnostics.error(secret->place,
                               name +
                                   " holds a sensitive value, and everybody on the machine can "
                                   "read the arguments of a process",
                               spec.name + ": " + spec.summary);
  }

  void missing(const Value& map, const Value* given, const OptionSpec& spec,
               const std::string& what) {
    context_.diagnostics.error(
        given == nullptr ? map.place : given->place,
        "'" + spec.name + "' " + (given == nullptr ? "is missing in " : "has no value in ") + what,
        spec.summary.empty() ? "" : spec.name + ": " + spec.summary);
  }

  void check_kind(Value& value, const OptionSpec& spec, const std::string& name) {
    switch (spec.type) {
      case OptionType::kDuration:
        if (!parse_duration(value.text)) {
          context_.diagnostics.error(value.place, name + " must be a duration like 90s or 5m");
        }
        return;
      case OptionType::kEnum: return check_choice(value, spec, name);
      case OptionType::kPath: return resolve_path(value, spec, name);
      case OptionType::kMap:
        if (!spec.fields.empty()) map(value, spec.fields, name);
        return;
      case OptionType::kList:
        if (spec.not_empty && value.items.empty())
          context_.diagnostics.error(value.place, name + " must not be empty",
                                     spec.name + ": " + spec.summary);
        if (spec.fields.empty()) return;
        for (Value& item : value.items)
          list_item(item, spec.fields.front(), "an element of " + name);
        return;
      default: return;
    }
  }

  void list_item(Value& item, const OptionSpec& spec, const std::string& name) {
    if (item.is_null() && spec.type != OptionType::kAny) {
      context_.diagnostics.error(item.place, name + " has no value");
    } else {
      option(item, spec, name);
    }
  }

  void check_choice(const Value& value, const OptionSpec& spec, const std::string& name) {
    if (std::ranges::find(spec.choices, value.text) != spec.choices.end()) return;
    std::string shown = value.sensitive ? "" : ", not '" + value.text + "'";
    context_.diagnostics.error(value.place,
                               name + " must be one of " + join(spec.choices, ", ") + shown,
                               value.sensitive ? "" : suggest_near(value.text, spec.choices));
  }

  void resolve_path(Value& value, const OptionSpec& spec, const std::string& name) {
    if (value.text.empty() || value.text.find('\0') != std::string::npos) {
      context_.diagnostics.error(value.place, name + " must be a path, not an empty text");
      return;
    }
    const Place& written_at = value.origin.known() ? value.origin : value.place;
    bool in_file = written_at.known() && written_at.file->starts_with('/');
    std::string written = value.text;
    value.text = absolute_path(in_file ? folder_of(*written_at.file) : context_.folder, written);
    if (context_.on_path) context_.on_path(value, written, spec);
  }

  void add_default(Value& map, const OptionSpec& spec) {
    Diagnostics problems;
    auto documents = yaml::parse(spec.default_value, "default", {}, problems);
    if (documents.empty() || problems.has_errors()) return;  // check_schema reports it
    Value value = outline(documents.front(), 64);
    bool text = kind_fits(spec.type, Value::Kind::kString) && spec.type != OptionType::kAny;
    if (text && !documents.front().is_list() && !documents.front().is_map()) {
      value = Value{};
      value.kind = Value::Kind::kString;
      value.text = documents.front().kind == yaml::Node::Kind::kNull ? spec.default_value
                                                                     : documents.front().scalar;
    }
    value.place = map.place;
    option(value, spec, "'" + spec.name + "'");
    map.entries.emplace_back(spec.name, std::move(value));
  }

  const ConformContext& context_;
};

void check_specs(std::span<const OptionSpec> specs, const std::string& where,
                 std::vector<std::string>& problems) {
  for (const OptionSpec& spec : specs) {
    std::string name = where + spec.name;
    if (spec.type == OptionType::kEnum && spec.choices.empty())
      problems.push_back(name + ": no choices");
    if (spec.type == OptionType::kList && spec.fields.size() != 1)
      problems.push_back(name + ": a list needs one field");
    if (spec.required && !spec.default_value.empty())
      problems.push_back(name + ": required, with a default");
    check_specs(spec.fields, name + ".", problems);
    if (spec.default_value.empty()) continue;
    Diagnostics findings;
    ConformContext context{findings, "/", true, {}};
    Value map;
    map.kind = Value::Kind::kMap;
    conform_map(map, {&spec, 1}, name, context);
    if (findings.has_errors() || map.entries.empty())
      problems.push_back(name + ": the default does not fit");
  }
}

}  // namespace

const OptionSpec* find_option(std::span<const OptionSpec> specs, std::string_view name) {
  auto found = std::ranges::find(specs, name, &OptionSpec::name);
  if (found == specs.end()) found = std::ranges::find(specs, kAnyKey, &OptionSpec::name);
  return found == specs.end() ? nullptr : &*found;
}

void conform_map(Value& map, std::span<const OptionSpec> specs, const std::string& what,
                 const ConformContext& context) {
  if (map.kind == Value::Kind::kUnknown) return;
  if (map.is_null()) map.kind = Value::Kind::kMap;
  if (map.kind != Value::Kind::kMap) {
    context.diagnostics.error(map.place, what + " must be a map, not " + map.kind_text());
    return;
  }
  Conformer(context).map(map, specs, what);
}

void check_one_of(const Value& map, std::span<const std::vector<std::string>> groups,
                  const std::string& what, Diagnostics& diagnostics) {
  if (map.kind != Value::Kind::kMap) return;
  for (const auto& group : groups) {
    std::vector<const Value*> given;
    for (const std::string& name : group) {
      if (const Value* value = map.find(name)) given.push_back(value);
    }
    if (given.size() == 1) continue;
    std::string names = "'" + join(group, "', '") + "'";
    if (given.empty()) {
      diagnostics.error(map.place, "one of " + names + " is missing in " + what);
    } else {
      diagnostics.error(given[1]->key_place.known() ? given[1]->key_place : map.place,
                        "only one of " + names + " may be given in " + what);
    }
  }
}

std::vector<std::string> check_schema(const StageSchema& schema) {
  std::vector<std::string> problems;
  check_specs(schema.options, schema.name + ": ", problems);
  for (const auto& group : schema.one_of) {
    for (const std::string& name : group) {
      if (std::ranges::find(schema.options, name, &OptionSpec::name) == schema.options.end()) {
        problems.push_back(schema.name + ": one_of names '" + name + "', which is no option");
      }
    }
  }
  return problems;
}

}  // namespace blackstart::plan

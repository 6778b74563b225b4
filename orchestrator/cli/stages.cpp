// blackstart stages: the stage types, and the options and outputs of one.
#include <boost/json.hpp>

#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/program.h"
#include "orchestrator/cli/table.h"

namespace blackstart::cli {
namespace {

namespace json = boost::json;

const char* type_name(plan::OptionType type) {
  switch (type) {
    case plan::OptionType::kString: return "string";
    case plan::OptionType::kInteger: return "integer";
    case plan::OptionType::kBoolean: return "boolean";
    case plan::OptionType::kDuration: return "duration";
    case plan::OptionType::kEnum: return "enum";
    case plan::OptionType::kPath: return "path";
    case plan::OptionType::kList: return "list";
    case plan::OptionType::kMap: return "map";
    case plan::OptionType::kAny: return "any";
  }
  return "any";
}

std::string option_lines(const std::vector<plan::OptionSpec>& options, size_t indent) {
  std::string text;
  for (const plan::OptionSpec& option : options) {
    std::string notes = option.required ? " (required)" : "";
    if (!option.default_value.empty()) notes += " (default: " + option.default_value + ")";
    if (!option.choices.empty()) notes += " (one of: " + join(option.choices, ", ") + ")";
    if (option.secret) notes += " (secret)";
    if (option.in_argv) notes += " (never a secret)";
    std::string name = option.name.empty()            ? "each"
                       : option.name == plan::kAnyKey ? "KEY"
                                                      : option.name;
    text += std::string(indent, ' ') + padded(name, 24 - std::min<size_t>(indent, 20)) +
            padded(type_name(option.type), 10) + option.summary + notes + "\n";
    text += option_lines(option.fields, indent + 2);
  }
  return text;
}

std::string describe(const plan::StageSchema& schema) {
  std::string text =
      schema.name + ": " + schema.summary + "\n\nOptions:\n" + option_lines(schema.options, 2);
  for (const auto& group : schema.one_of) text += "  exactly one of: " + join(group, ", ") + "\n";
  if (!schema.outputs.empty()) text += "\nOutputs:\n";
  for (const plan::OutputSpec& output : schema.outputs)
    text += "  " + padded(output.name, 22) + output.summary + "\n";
  if (!schema.warning.empty()) text += "\nNote: " + schema.warning + "\n";
  return text;
}

json::array options_json(const std::vector<plan::OptionSpec>& options) {
  json::array list;
  for (const plan::OptionSpec& option : options) {
    list.emplace_back(
        json::object{{"name", option.name},
                     {"type", type_name(option.type)},
                     {"required", option.required},
                     {"default", option.default_value},
                     {"summary", option.summary},
                     {"secret", option.secret},
                     {"choices", json::array(option.choices.begin(), option.choices.end())},
                     {"fields", options_json(option.fields)}});
  }
  return list;
}

json::object to_json(const plan::StageSchema& schema) {
  json::array outputs;
  for (const plan::OutputSpec& output : schema.outputs)
    outputs.emplace_back(json::object{
        {"name", output.name}, {"summary", output.summary}, {"secret", output.secret}});
  return {{"name", schema.name},
          {"summary", schema.summary},
          {"options", options_json(schema.options)},
          {"outputs", std::move(outputs)}};
}

}  // namespace

Task<int> run_stages(Program& program) {
  const std::string& wanted = program.arguments.file;
  bool as_json = program.arguments.output == "json";
  std::vector<std::string> names = program.catalog.names();
  if (!wanted.empty()) {
    const plan::StageSchema* schema = program.catalog.find_schema(wanted);
    if (schema == nullptr)
      throw Error(ErrorClass::kUsage, "there is no stage type '" + wanted + "'")
          .hint(suggestion(wanted, names));
    program.print(as_json ? json::serialize(to_json(*schema)) + "\n" : describe(*schema));
    co_return kExitDone;
  }
  json::array list;
  std::string text;
  for (const std::string& name : names) {
    const plan::StageSchema& schema = *program.catalog.find_schema(name);
    list.emplace_back(to_json(schema));
    text += padded(name, 22) + schema.summary + "\n";
  }
  program.print(as_json ? json::serialize(list) + "\n" : text);
  co_return kExitDone;
}

}  // namespace blackstart::cli

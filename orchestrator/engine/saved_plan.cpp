#include "orchestrator/engine/saved_plan.h"

#include <boost/json.hpp>

#include "orchestrator/base/text.h"

namespace blackstart::engine {
namespace {

namespace json = boost::json;
constexpr const char* kSchema = "blackstart.plan/1";

json::array texts(const std::vector<std::string>& values) {
  json::array list;
  for (const std::string& value : values) list.emplace_back(value);
  return list;
}

std::vector<std::string> texts(const json::value& list) {
  std::vector<std::string> values;
  for (const json::value& value : list.as_array()) values.emplace_back(value.as_string());
  return values;
}

json::object to_json(const Action& action) {
  return {{"id", action.id},
          {"summary", action.summary},
          {"details", texts(action.details)},
          {"once", action.once},
          {"destructive", action.destructive}};
}

Action action_of(const json::value& value) {
  Action action;
  action.id = value.at("id").as_string();
  action.summary = value.at("summary").as_string();
  action.details = texts(value.at("details"));
  action.once = value.at("once").as_bool();
  action.destructive = value.at("destructive").as_bool();
  return action;
}

json::object to_json(const SavedStage& stage) {
  json::array actions;
  for (const Action& action : stage.actions) actions.emplace_back(to_json(action));
  return {{"name", stage.name},
          {"digest", stage.digest},
          {"deferred", stage.deferred},
          {"actions", std::move(actions)}};
}

SavedStage stage_of(const json::value& value) {
  SavedStage stage;
  stage.name = value.at("name").as_string();
  stage.digest = value.at("digest").as_string();
  stage.deferred = value.at("deferred").as_bool();
  for (const json::value& action : value.at("actions").as_array())
    stage.actions.push_back(action_of(action));
  return stage;
}

SavedPlan plan_of(const json::value& value) {
  SavedPlan plan;
  plan.plan_file = value.at("planFile").as_string();
  plan.plan_digest = value.at("planDigest").as_string();
  plan.environment = value.at("environment").as_string();
  plan.target = value.at("target").as_string();
  for (const json::value& var : value.at("vars").as_array())
    plan.vars.emplace_back(var.at("name").as_string(), var.at("value").as_string());
  const json::value& selection = value.at("selection");
  plan.selection.only = texts(selection.at("only"));
  plan.selection.stacks = texts(selection.at("stacks"));
  plan.selection.tags = texts(selection.at("tags"));
  plan.selection.from = selection.at("from").as_string();
  plan.selection.until = selection.at("until").as_string();
  for (const json::value& stage : value.at("stages").as_array())
    plan.stages.push_back(stage_of(stage));
  return plan;
}

}  // namespace

const SavedStage* SavedPlan::find(const std::string& stage) const {
  auto found = std::ranges::find(stages, stage, &SavedStage::name);
  return found == stages.end() ? nullptr : &*found;
}

std::string to_text(const SavedPlan& plan) {
  json::array vars;
  for (const auto& [name, value] : plan.vars)
    vars.emplace_back(json::object{{"name", name}, {"value", value}});
  json::array stages;
  for (const SavedStage& stage : plan.stages) stages.emplace_back(to_json(stage));
  json::object selection{{"only", texts(plan.selection.only)},
                         {"stacks", texts(plan.selection.stacks)},
                         {"tags", texts(plan.selection.tags)},
                         {"from", plan.selection.from},
                         {"until", plan.selection.until}};
  json::object whole{{"schema", kSchema},
                     {"planFile", plan.plan_file},
                     {"planDigest", plan.plan_digest},
                     {"environment", plan.environment},
                     {"target", plan.target},
                     {"vars", std::move(vars)},
                     {"selection", std::move(selection)},
                     {"stages", std::move(stages)}};
  return json::serialize(whole) + "\n";
}

SavedPlan parse_saved_plan(const std::string& text, const std::string& file) {
  try {
    json::value value = json::parse(text);
    if (value.at("schema").as_string() != kSchema)
      throw Error(ErrorClass::kUsage, "made by another version of blackstart: " +
                                          std::string(value.at("schema").as_string()));
    SavedPlan plan = plan_of(value);
    plan.digest = sha256_hex(text);
    return plan;
  } catch (const std::exception& problem) {
    throw Error(ErrorClass::kUsage, file + " is no saved plan that can be applied")
        .because(problem.what())
        .hint("make a new one with blackstart plan --out FILE");
  }
}

std::string describe(const std::vector<Action>& actions) {
  std::string text;
  for (const Action& action : actions) text += (text.empty() ? "" : "; ") + action.summary;
  return text.empty() ? "nothing" : text;
}

}  // namespace blackstart::engine

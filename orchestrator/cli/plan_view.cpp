#include "orchestrator/cli/plan_view.h"

#include <boost/json.hpp>

#include "orchestrator/base/path.h"
#include "orchestrator/cli/table.h"

namespace blackstart::cli {
namespace {

using engine::StageResult;
using engine::StageState;
namespace json = boost::json;

struct Widths {
  size_t name = 0;
  size_t uses = 0;
};

Widths widths_of(const plan::Plan& plan) {
  Widths widths;
  for (const plan::Stage& stage : plan.stages) {
    widths.name = std::max(widths.name, stage.name.size());
    widths.uses = std::max(widths.uses, stage.uses.size());
  }
  return widths;
}

std::string head_line(const char* mark, const plan::Stage& stage, const Widths& widths,
                      const std::string& text) {
  return std::string("  ") + mark + " " + padded(stage.name, widths.name) + "  " +
         padded(stage.uses, widths.uses) + "  " + text + "\n";
}

std::string about(const engine::Session& session) {
  const plan::Plan& plan = session.plan;
  std::string text = "Plan " + plan.name;
  if (!plan.environment.empty()) text += ", environment " + plan.environment;
  text += " (" + seen_from(session.world.environment.working_directory(), plan.file) + ")\n";
  auto identity = engine::known_cluster(session.world.files, session.state_folder);
  if (plan.cluster) text += "Cluster: " + identity.value_or("not seen yet") + "\n";
  return text + "\n";
}

std::string failure_lines(const engine::Session& session, const StageResult& result) {
  std::string text;
  if (!result.failure) return text;
  const std::string indent(8, ' ');
  if (result.failure->place().known()) {
    const std::string folder = session.world.environment.working_directory();
    text += indent + "at: " + seen_from(folder, result.failure->place().to_string()) + "\n";
  }
  for (const std::string& cause : result.failure->causes())
    text += indent + "because: " + cause + "\n";
  if (!result.failure->hint().empty())
    text += indent + "what to do: " + result.failure->hint() + "\n";
  return text;
}

/// What was found on the way down to what holds a stage up. Of a failure it is among the causes.
std::string detail_lines(const StageResult& result) {
  std::string text;
  for (const std::string& cause : result.decision.causes)
    text += std::string(8, ' ') + cause + "\n";
  return text;
}

const char* plan_mark(const StageResult& result) {
  switch (result.state) {
    case StageState::kSatisfied: return "=";
    case StageState::kSkipped: return "-";
    case StageState::kDeferred: return "?";
    case StageState::kPending:
      return result.decision.kind == engine::Decision::Kind::kWait ? "~" : "+";
    default: return "!";
  }
}

std::string plan_sentence(const StageResult& result) {
  switch (result.state) {
    case StageState::kSatisfied: return "nothing to do: " + result.reason;
    case StageState::kSkipped: return "skipped: " + result.reason;
    case StageState::kDeferred: return "known after stage " + result.seen.deferred_on;
    case StageState::kPending: break;
    default:
      return std::string(engine::to_string(result.state)) + ": " +
             (result.failure ? result.failure->summary() : result.reason);
  }
  return result.decision.kind == engine::Decision::Kind::kWait ? "wait: " + result.reason
                                                               : result.seen.reason;
}

std::string action_lines(const StageResult& result) {
  const std::string indent = "        ";
  std::string text;
  if (result.state == StageState::kDeferred &&
      result.decision.kind == engine::Decision::Kind::kWait)
    text += indent + "wait: " + result.decision.reason + "\n";
  for (const engine::Action& action : result.decision.actions) {
    text += indent + action.summary;
    if (action.once) text += " (once)";
    if (action.destructive) text += " (destructive)";
    text += "\n";
    for (const std::string& detail : action.details) text += indent + "  " + detail + "\n";
  }
  return text;
}

json::object outputs_json(const plan::Stage& stage, const StageResult& result) {
  json::object outputs;
  for (const plan::OutputSpec& output : stage.schema->outputs) {
    auto found = result.seen.outputs.find(output.name);
    if (found != result.seen.outputs.end() && !output.secret) outputs[output.name] = found->second;
  }
  return outputs;
}

/// With every text cleaned; as a whole it would be no JSON any more when a secret is a number or
/// reads `true`.
json::value cleaned(const events::Redactor& redactor, const json::value& value) {
  if (const json::string* text = value.if_string())
    return json::string(redactor.clean_wrapped(*text));
  if (const json::array* items = value.if_array()) {
    json::array result;
    for (const json::value& item : *items) result.push_back(cleaned(redactor, item));
    return result;
  }
  if (!value.is_object()) return value;
  json::object result;
  for (const auto& [key, item] : value.get_object()) result[key] = cleaned(redactor, item);
  return result;
}

/// Names of the plan and words of ours hold no value and stay as they are.
json::object stage_json(const plan::Stage& stage, const StageResult& result,
                        const events::Redactor& redactor) {
  auto clean = [&redactor](const json::value& value) { return cleaned(redactor, value); };
  json::array actions;
  for (const engine::Action& action : result.decision.actions) {
    json::array details(action.details.begin(), action.details.end());
    actions.emplace_back(json::object{{"id", clean(json::value(action.id))},
                                      {"summary", clean(json::value(action.summary))},
                                      {"details", clean(details)},
                                      {"once", action.once},
                                      {"destructive", action.destructive}});
  }
  json::array causes(result.decision.causes.begin(), result.decision.causes.end());
  json::object object{{"name", stage.name},
                      {"uses", stage.uses},
                      {"stack", stage.stack},
                      {"state", engine::to_string(result.state)},
                      {"holds", result.holds()},
                      {"observation", engine::to_string(result.seen.state)},
                      {"reason", clean(json::value(result.reason))},
                      {"causes", clean(causes)},
                      {"deferredOn", clean(json::value(result.seen.deferred_on))},
                      {"outputs", clean(outputs_json(stage, result))},
                      {"actions", std::move(actions)}};
  if (result.failure) {
    json::array why(result.failure->causes().begin(), result.failure->causes().end());
    object["failure"] =
        json::object{{"class", to_string(result.failure->error_class())},
                     {"summary", clean(json::value(result.failure->summary()))},
                     {"causes", clean(why)},
                     {"hint", clean(json::value(result.failure->hint()))},
                     {"place", clean(json::value(result.failure->place().to_string()))}};
  }
  return object;
}

/// Whether apply would get to a stage that has something to do: it stops at those that failed or
/// could not be looked at, and at all that need them.
bool apply_would_help(const engine::Session& session, const engine::RunResult& result) {
  std::vector<bool> in_reach(result.stages.size());
  for (size_t index : session.graph.order()) {
    StageState state = result.stages[index].state;
    in_reach[index] = state != StageState::kFailed && state != StageState::kUnknown &&
                      std::ranges::all_of(session.graph.needs(index),
                                          [&](size_t need) { return in_reach[need]; });
    if (in_reach[index] && state == StageState::kPending) return true;
  }
  return false;
}

/// Not knowing is not "no": what could not be looked at is counted apart.
std::string verdict(size_t broken, size_t unknown, bool apply_helps) {
  if (broken + unknown == 0) return "Everything holds.";
  std::string text;
  if (broken > 0) text = count_of(broken, "stage does not hold", "stages do not hold");
  if (unknown > 0)
    text += (broken > 0 ? ", " : "") +
            count_of(unknown, "stage could not be looked at", "stages could not be looked at");
  return apply_helps ? text + "; blackstart apply mends what it can." : text + ".";
}

}  // namespace

std::string plan_text(const engine::Session& session, const engine::RunResult& result) {
  Widths widths = widths_of(session.plan);
  std::string text = about(session);
  for (size_t index : session.graph.order()) {
    const StageResult& stage = result.stages[index];
    if (stage.role == engine::Role::kLeftOut) continue;
    text += head_line(plan_mark(stage), session.plan.stages[index], widths, plan_sentence(stage));
    text += action_lines(stage) + failure_lines(session, stage);
  }
  text += "\n" + count_of(result.count(StageState::kPending), "stage") + " to do now, " +
          std::to_string(result.count(StageState::kDeferred)) + " known only after another, " +
          std::to_string(result.count(StageState::kSatisfied)) + " with nothing to do";
  size_t trouble = result.count(StageState::kFailed) + result.count(StageState::kUnknown);
  if (trouble > 0) text += ", " + std::to_string(trouble) + " in trouble";
  return session.bus.redactor().clean(text + ".\n");
}

std::string status_text(const engine::Session& session, const engine::RunResult& result,
                        bool verbose) {
  Widths widths = widths_of(session.plan);
  std::string text = about(session);
  size_t broken = 0;
  size_t unknown = 0;
  for (size_t index : session.graph.order()) {
    const StageResult& stage = result.stages[index];
    if (stage.role == engine::Role::kLeftOut) continue;
    bool not_seen = stage.state == StageState::kUnknown || stage.state == StageState::kDeferred;
    const char* mark = stage.state == StageState::kSkipped ? "-"
                       : stage.holds()                     ? "ok"
                       : not_seen                          ? "??"
                                                           : "NO";
    std::string sentence = stage.failure          ? stage.failure->summary()
                           : stage.reason.empty() ? stage.seen.reason
                                                  : stage.reason;
    broken += stage.holds() || not_seen ? 0 : 1;
    unknown += not_seen ? 1 : 0;
    text += head_line(padded(mark, 2).c_str(), session.plan.stages[index], widths, sentence) +
            failure_lines(session, stage);
    if (verbose && !stage.failure) text += detail_lines(stage);
  }
  text += "\n" + verdict(broken, unknown, apply_would_help(session, result)) + "\n";
  return session.bus.redactor().clean(text);
}

std::string preview_json(const engine::Session& session, const engine::RunResult& result) {
  const events::Redactor& redactor = session.bus.redactor();
  json::array stages;
  for (size_t index : session.graph.order()) {
    if (result.stages[index].role == engine::Role::kLeftOut) continue;
    stages.emplace_back(stage_json(session.plan.stages[index], result.stages[index], redactor));
  }
  json::object whole{{"schema", "blackstart.preview/1"},
                     {"plan", session.plan.name},
                     {"file", redactor.clean_wrapped(session.plan.file)},
                     {"environment", session.plan.environment},
                     {"stages", std::move(stages)}};
  return json::serialize(whole) + "\n";
}

}  // namespace blackstart::cli

#include "stages/argocd/assessment.h"

#include <set>

#include "orchestrator/base/text.h"

namespace blackstart::stages::argocd {
namespace {

namespace json = boost::json;
using engine::Action;
using engine::Decision;
using engine::Observation;

constexpr size_t kNamed = 4;

std::string name_of(const json::value& object) {
  return kube::text_at(object, {"metadata", "name"});
}

const json::value* find_application(const Objects& applications, const std::string& name) {
  auto found = std::find_if(applications.begin(), applications.end(),
                            [&](const json::value* one) { return name_of(*one) == name; });
  return found == applications.end() ? nullptr : *found;
}

/// The names that are waited for: those given or all there are, and their children, transitively.
/// The value is the parent that a name was found under.
std::map<std::string, std::string> wanted_names(const WaitFor& wanted,
                                                const Objects& applications) {
  std::map<std::string, std::string> names;
  std::vector<std::string> open = wanted.names;
  if (open.empty()) {
    for (const json::value* one : applications) open.push_back(name_of(*one));
  }
  for (const std::string& name : open) names[name];
  while (!open.empty()) {
    std::string name = std::move(open.back());
    open.pop_back();
    const json::value* application = find_application(applications, name);
    if (application == nullptr) continue;
    for (const kube::ObjectRef& child : children_of(*application)) {
      if (child.name_space == wanted.name_space && names.emplace(child.name, name).second)
        open.push_back(child.name);
    }
  }
  for (const std::string& name : wanted.except) names.erase(name);
  return names;
}

Verdict missing(const std::string& name, const std::string& parent) {
  Verdict verdict;
  verdict.application = name;
  verdict.reason =
      "is not there yet" + (parent.empty() ? std::string() : " (a child of " + parent + ")");
  return verdict;
}

bool is_owned_by(const json::value& application, const std::string& set) {
  const auto& array = kube::list_at(application, {"metadata", "ownerReferences"});
  return std::any_of(array.begin(), array.end(), [&](const json::value& owner) {
    return kube::text_at(owner, {"kind"}) == "ApplicationSet" &&
           kube::text_at(owner, {"name"}) == set;
  });
}

std::string error_of(const json::value& set) {
  for (const json::value& condition : kube::list_at(set, {"status", "conditions"})) {
    if (kube::text_at(condition, {"type"}) == "ErrorOccurred" &&
        kube::text_at(condition, {"status"}) == "True")
      return kube::text_at(condition, {"message"}, "an error occurred");
  }
  return {};
}

void assess_sets(const Objects& sets, const Objects& applications, Assessment& assessment) {
  for (const json::value* set : sets) {
    std::string name = name_of(*set);
    if (std::string error = error_of(*set); !error.empty()) {
      Verdict verdict;
      verdict.application = "ApplicationSet " + name;
      verdict.kind = Verdict::Kind::kStuck;
      verdict.reason = error;
      verdict.hint = "correct the generators or the template of the ApplicationSet";
      assessment.pending.push_back(std::move(verdict));
      continue;
    }
    bool any = std::any_of(applications.begin(), applications.end(),
                           [&](const json::value* one) { return is_owned_by(*one, name); });
    if (!any)
      assessment.notes.push_back("ApplicationSet " + name + " has generated no Application");
  }
}

std::string sentence(const Verdict& verdict,
                     const std::map<std::string, std::string>& explanations) {
  auto more = explanations.find(verdict.application);
  return verdict.application + ": " + verdict.reason +
         (more == explanations.end() ? "" : ": " + more->second);
}

std::string describe(const Assessment& assessment,
                     const std::map<std::string, std::string>& explanations) {
  std::vector<std::string> parts;
  for (const Verdict& verdict : assessment.pending) {
    if (parts.size() < kNamed) parts.push_back(sentence(verdict, explanations));
  }
  if (assessment.pending.size() > kNamed) parts.push_back("…");
  std::string text;
  if (assessment.total == 0 && assessment.at_least == 1) {
    text = "there is no Application yet";
  } else if (assessment.total < assessment.at_least) {
    text = std::to_string(assessment.total) + " of at least " +
           count_of(assessment.at_least, "Application") +
           (assessment.total == 1 ? " is there" : " are there");
  } else {
    text = std::to_string(assessment.pending.size()) + " of " +
           count_of(assessment.total, "Application") +
           (assessment.pending.size() == 1 ? " is" : " are") + " not done";
  }
  if (!parts.empty()) text += ": " + join(parts, "; ");
  if (!assessment.notes.empty()) text += " (" + join(assessment.notes, "; ") + ")";
  return text;
}

Decision stuck(const WaitState& state) {
  const Verdict& first = state.confirmed.front();
  Decision decision =
      Decision::blocked("Application " + sentence(first, state.explanations), first.hint);
  if (first.application.starts_with("ApplicationSet "))
    decision.reason = sentence(first, state.explanations);
  decision.causes = first.causes;
  for (size_t i = 1; i < state.confirmed.size() && i < kNamed; ++i)
    decision.causes.push_back("also " + sentence(state.confirmed[i], state.explanations));
  return decision;
}

}  // namespace

Assessment assess(const WaitFor& wanted, const Objects& applications,
                  const Objects& application_sets, const ExpectedRevision& expected) {
  Assessment assessment;
  assessment.at_least = wanted.at_least;
  for (const auto& [name, parent] : wanted_names(wanted, applications)) {
    const json::value* application = find_application(applications, name);
    if (application != nullptr) ++assessment.total;
    Verdict verdict =
        application == nullptr ? missing(name, parent) : judge_application(*application, expected);
    if (verdict.kind != Verdict::Kind::kDone) assessment.pending.push_back(std::move(verdict));
  }
  if (wanted.names.empty()) assess_sets(application_sets, applications, assessment);
  return assessment;
}

std::string describe(const Assessment& assessment) { return describe(assessment, {}); }

Decision decide_wait(const WaitState& state, const Observation& seen) {
  if (seen.is_present()) return Decision::satisfied(seen.reason);
  if (seen.state == Observation::State::kDeferred)
    return Decision::wait("waits until its Applications are Synced and Healthy");
  std::string reason = describe(state.assessment, state.explanations);
  if (!state.confirmed.empty()) return stuck(state);
  std::vector<Action> actions;
  for (const Verdict& verdict : state.to_refresh) {
    Action action;
    action.id = "refresh-" + verdict.application;
    action.summary = "have Argo CD look at Git again for Application " + verdict.application;
    action.details.push_back("~ " + verdict.reason);
    actions.push_back(std::move(action));
  }
  if (!actions.empty()) return Decision::act(std::move(actions), reason);
  Decision decision = Decision::wait(reason);
  for (const Verdict& verdict : state.assessment.pending)
    decision.waits_for.push_back(verdict.application);
  const Assessment& assessment = state.assessment;
  if (assessment.total < assessment.at_least)
    decision.waits_for.push_back(
        count_of(assessment.at_least - assessment.total, "more Application"));
  return decision;
}

}  // namespace blackstart::stages::argocd

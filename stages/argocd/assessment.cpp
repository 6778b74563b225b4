#include "stages/argocd/assessment.h"

#include <optional>

#include "orchestrator/base/text.h"
#include "stages/argocd/advice.h"
#include "stages/argocd/remedy.h"

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

const json::value* find_named(const Objects& objects, const std::string& name) {
  auto found = std::find_if(objects.begin(), objects.end(),
                            [&](const json::value* one) { return name_of(*one) == name; });
  return found == objects.end() ? nullptr : *found;
}

bool is_owned_by(const json::value& application, const std::string& set) {
  const auto& array = kube::list_at(application, {"metadata", "ownerReferences"});
  return std::any_of(array.begin(), array.end(), [&](const json::value& owner) {
    return kube::text_at(owner, {"kind"}) == "ApplicationSet" &&
           kube::text_at(owner, {"name"}) == set;
  });
}

using Parents = std::map<std::string, std::string>;  // by name: whose child it was found to be

/// Whom is waited for.
struct Family {
  Parents applications;
  Parents sets;
};

/// Finds those given or all there are, and their children, transitively: the Applications among the
/// resources of one, and those that an ApplicationSet there has generated.
class FamilyFinder {
 public:
  FamilyFinder(const std::string& name_space, const Objects& applications)
      : name_space_(name_space), all_(applications) {}

  void add_application(const std::string& name, const std::string& parent) {
    if (family_.applications.emplace(name, parent).second) open_.push_back(name);
  }

  void add_set(const std::string& name, const std::string& parent) {
    if (!family_.sets.emplace(name, parent).second) return;
    for (const json::value* one : all_)
      if (is_owned_by(*one, name)) add_application(name_of(*one), "ApplicationSet " + name);
  }

  Family find() {
    while (!open_.empty()) {
      std::string name = std::move(open_.back());
      open_.pop_back();
      if (const json::value* one = find_named(all_, name)) add_children(*one);
    }
    return std::move(family_);
  }

 private:
  void add_children(const json::value& application) {
    std::string parent = name_of(application);
    for (const kube::ObjectRef& child : children_of(application, "Application"))
      if (child.name_space == name_space_) add_application(child.name, parent);
    for (const kube::ObjectRef& child : children_of(application, "ApplicationSet"))
      if (child.name_space == name_space_) add_set(child.name, parent);
  }

  const std::string& name_space_;
  const Objects& all_;
  Family family_;
  std::vector<std::string> open_;  // Applications whose children are not known yet
};

Family family_of(const WaitFor& wanted, const Objects& applications, const Objects& sets) {
  FamilyFinder finder(wanted.name_space, applications);
  for (const std::string& name : wanted.names) finder.add_application(name, "");
  if (wanted.names.empty()) {
    for (const json::value* one : applications) finder.add_application(name_of(*one), "");
    for (const json::value* one : sets) finder.add_set(name_of(*one), "");
  }
  for (const auto& [name, count] : wanted.sets) finder.add_set(name, "");
  Family family = finder.find();
  for (const std::string& name : wanted.except) family.applications.erase(name);
  return family;
}

Verdict missing(const std::string& name, const std::string& parent) {
  Verdict verdict;
  verdict.application = name;
  verdict.reason =
      "is not there yet" + (parent.empty() ? std::string() : " (a child of " + parent + ")");
  return verdict;
}

std::string error_of(const json::value& set) {
  for (const json::value& condition : kube::list_at(set, {"status", "conditions"})) {
    if (kube::text_at(condition, {"type"}) == "ErrorOccurred" &&
        kube::text_at(condition, {"status"}) == "True")
      return kube::text_at(condition, {"message"}, "an error occurred");
  }
  return {};
}

std::string error_since(const json::value& set) {
  for (const json::value& condition : kube::list_at(set, {"status", "conditions"}))
    if (kube::text_at(condition, {"type"}) == "ErrorOccurred")
      return kube::text_at(condition, {"lastTransitionTime"});
  return {};
}

/// What keeps an ApplicationSet from being done, if anything does.
std::optional<Verdict> judge_set(const std::string& name, const std::string& parent,
                                 const json::value* set) {
  if (set == nullptr) return missing("ApplicationSet " + name, parent);
  Verdict verdict;
  verdict.application = "ApplicationSet " + name;
  if (std::string error = error_of(*set); !error.empty()) {
    verdict.kind = Verdict::Kind::kStuck;
    verdict.reason = error;
    verdict.hint = access_in(error) == Access::kFine
                       ? "correct the generators or the template of the ApplicationSet"
                       : advice_about("ErrorOccurred", error);
    verdict.since = error_since(*set);
    return verdict;
  }
  // Argo CD says something of each that it has worked on, last of all.
  if (!kube::list_at(*set, {"status", "conditions"}).empty()) return std::nullopt;
  verdict.reason = "was not looked at by Argo CD yet";
  return verdict;
}

Verdict too_few(const std::string& name, size_t generated, size_t wanted) {
  Verdict verdict;
  verdict.application = "ApplicationSet " + name;
  verdict.kind = Verdict::Kind::kStuck;
  verdict.remedy = Remedy::kRefresh;
  verdict.reason = "has generated " + std::to_string(generated) + " of at least " +
                   count_of(wanted, "Application");
  verdict.hint =
      "see that what its generators name is there (folders and files in Git, clusters, labels), or "
      "correct `sets`";
  return verdict;
}

void assess_set(const WaitFor& wanted, const std::string& name, const std::string& parent,
                const Objects& sets, const Objects& applications, Assessment& assessment) {
  if (auto verdict = judge_set(name, parent, find_named(sets, name)))
    return assessment.pending.push_back(std::move(*verdict));
  auto generated = static_cast<size_t>(
      std::count_if(applications.begin(), applications.end(),
                    [&](const json::value* one) { return is_owned_by(*one, name); }));
  auto at_least = wanted.sets.find(name);
  if (at_least != wanted.sets.end() && generated < at_least->second)
    return assessment.pending.push_back(too_few(name, generated, at_least->second));
  if (at_least == wanted.sets.end() && generated == 0)
    assessment.notes.push_back("ApplicationSet " + name + " has generated no Application");
}

void assess_application(const WaitFor& wanted, Verdict verdict, Assessment& assessment) {
  Verdict seen = settled(std::move(verdict), wanted);
  if (seen.kind != Verdict::Kind::kDone) return assessment.pending.push_back(std::move(seen));
  if (seen.matter != Verdict::Matter::kNone)
    assessment.accepted.push_back(seen.application + ": " + seen.reason);
}

using Explanations = std::map<std::string, kube::Diagnosis>;

std::string sentence(const Verdict& verdict, const Explanations& explanations) {
  auto more = explanations.find(verdict.application);
  return verdict.application + ": " + verdict.reason +
         (more == explanations.end() ? "" : ": " + more->second.sentence());
}

std::string all_of(const Assessment& assessment) {
  if (assessment.sets == 0) return count_of(assessment.total, "Application");
  return count_of(assessment.total + assessment.sets, "Application and set",
                  "Applications and sets");
}

/// "2 of 5 Applications are not done: argocd: OutOfSync, Progressing; …"
std::string describe(const Assessment& assessment, const Explanations& explanations) {
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
    text = std::to_string(assessment.pending.size()) + " of " + all_of(assessment) +
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
  for (const std::string& cause : first.causes)
    if (decision.reason.find(cause) == std::string::npos) decision.causes.push_back(cause);
  if (auto more = state.explanations.find(first.application); more != state.explanations.end())
    decision.causes.insert(decision.causes.end(), more->second.details.begin(),
                           more->second.details.end());
  for (size_t i = 1; i < state.confirmed.size() && i < kNamed; ++i)
    decision.causes.push_back("also " + sentence(state.confirmed[i], state.explanations));
  return decision;
}

}  // namespace

Assessment assess(const WaitFor& wanted, const Objects& applications,
                  const Objects& application_sets, const ExpectedRevision& expected) {
  Assessment assessment;
  assessment.at_least = wanted.at_least;
  Family family = family_of(wanted, applications, application_sets);
  assessment.sets = family.sets.size();
  for (const auto& [name, parent] : family.applications) {
    const json::value* application = find_named(applications, name);
    if (application != nullptr) ++assessment.total;
    Verdict verdict =
        application == nullptr ? missing(name, parent) : judge_application(*application, expected);
    assess_application(wanted, std::move(verdict), assessment);
  }
  for (const auto& [name, parent] : family.sets)
    assess_set(wanted, name, parent, application_sets, applications, assessment);
  return assessment;
}

std::string describe_done(const Assessment& assessment) {
  if (assessment.accepted.empty())
    return count_of(assessment.total, "Application") + " Synced and Healthy";
  return std::to_string(assessment.total - assessment.accepted.size()) + " of " +
         count_of(assessment.total, "Application") +
         " Synced and Healthy; accepted: " + join(assessment.accepted, "; ");
}

Decision decide_wait(const WaitState& state, const Observation& seen) {
  if (seen.is_present()) return Decision::satisfied(seen.reason);
  if (seen.state == Observation::State::kDeferred)
    return Decision::wait("waits until its Applications are Synced and Healthy");
  std::string reason = describe(state.assessment, state.explanations);
  if (!state.confirmed.empty()) return stuck(state);
  std::vector<Action> actions;
  for (const Verdict& verdict : state.to_remedy) actions.push_back(action_for(verdict));
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

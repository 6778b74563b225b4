#include "stages/helm/situation.h"

#include "orchestrator/base/text.h"
#include "stages/helm/keeper.h"
#include "stages/helm/values.h"

namespace blackstart::stages::helm {
namespace {

using engine::Action;
using engine::Decision;
using engine::Observation;
using Kind = Situation::Kind;

constexpr size_t kNamed = 5;

std::vector<std::string> differences(const WantedRelease& wanted, const Release& release) {
  std::vector<std::string> found;
  if (!release.deployed()) {
    found.push_back("revision " + std::to_string(release.revision) + " is " + release.status +
                    (release.description.empty() ? "" : ": " + release.description));
  }
  auto values = value_differences(release.config, wanted.values, kNamed);
  if (!values.empty()) found.push_back("values differ at " + join(values, ", "));
  ChartDifference chart = compare_chart(wanted.chart, release);
  bool stamped = release.description == wanted.description();
  if (stamped) return found;
  found.insert(found.end(), chart.phrases.begin(), chart.phrases.end());
  if (!chart.known && chart.phrases.empty())
    found.push_back("it was not made from " + wanted.chart.display + " as it is now");
  return found;
}

Situation judge_unfinished(const WantedRelease& wanted, const std::vector<Release>& releases,
                           const Release& current, int64_t interrupted_revision, WallTime now) {
  Situation situation;
  auto age = std::chrono::duration_cast<Duration>(now - current.modified);
  bool ours = current.revision == interrupted_revision;
  if (!ours && age < wanted.unfinished_grace) {
    situation.kind = Kind::kBusy;
    situation.reason = "another helm is at work on release " + wanted.name() + " (" +
                       current.status + " since " + format_utc(current.modified) +
                       "); it counts as dead after " + format_duration(wanted.unfinished_grace) +
                       ", the stage's unfinishedGrace";
    return situation;
  }
  situation.kind = Kind::kInterrupted;
  situation.reason =
      "release " + wanted.name() + " was left " + current.status + " by a helm that " +
      (ours ? "was interrupted here" : "has been silent for " + format_duration(age));
  // Without a revision that worked, the objects so far carry helm's marks, and the next install
  // adopts them: only the record has to go. Nothing is uninstalled. What an uninstall was taking
  // away was the last that worked.
  const Release* good = current.uninstalling() ? nullptr : last_good(releases, current.revision);
  if (good != nullptr)
    situation.rollback_to = good->revision;
  else
    situation.secret = current.secret;
  return situation;
}

std::string list_of(const std::vector<kube::ObjectRef>& refs) {
  std::vector<std::string> names;
  for (const kube::ObjectRef& ref : refs) {
    if (names.size() < kNamed) names.push_back(ref.to_string());
  }
  return join(names, ", ") + (refs.size() > kNamed ? ", …" : "");
}

Action upgrade_action(const WantedRelease& wanted, const Situation& situation) {
  bool fresh = situation.kind == Kind::kAbsent;
  Action action;
  action.id = fresh ? "install" : "upgrade";
  action.summary = action.id + " release " + wanted.name() + " from " + wanted.chart.display;
  for (const std::string& file : wanted.values_shown) action.details.push_back("values: " + file);
  for (const std::string& difference : situation.differences)
    action.details.push_back("~ " + difference);
  if (!situation.handed_over.empty())
    action.details.push_back("! reclaimed from Argo CD's Application " + situation.handed_over +
                             ", which sets its objects back unless it is paused or removed");
  return action;
}

Action repair_action(const WantedRelease& wanted, const Situation& situation) {
  Action action;
  if (situation.rollback_to > 0) {
    action.id = "rollback";
    action.summary = "roll release " + wanted.name() + " back to revision " +
                     std::to_string(situation.rollback_to) + ", the last that worked";
  } else {
    action.id = "forget";
    action.summary =
        "remove the record " + situation.secret + " of the unfinished release; its objects stay";
  }
  return action;
}

std::string sentence(const std::pair<kube::ObjectRef, kube::Readiness>& unready) {
  return unready.first.to_string() + ": " + unready.second.reason;
}

void judge_unready(const WantedRelease& wanted, const ObjectsState& state, Situation& situation) {
  using State = kube::Readiness::State;
  bool on_its_way = false;
  std::vector<std::string> sentences;
  for (const auto& one : state.unready) {
    situation.unready.push_back(one.first.to_string());
    sentences.push_back(sentence(one));
    on_its_way = on_its_way || one.second.state == State::kProgressing;
  }
  bool failed = state.unready.front().second.state == State::kFailed;
  situation.kind = failed ? Kind::kStuck : Kind::kUnready;
  situation.reason = describe_unready(wanted, state, sentences.front());
  // What has stalled may wait for what is on its way.
  if (!failed && !on_its_way) situation.stalled = join(sentences, "\n");
}

/// ", which differs from this plan: …".
std::string about_keeper(const WantedRelease& wanted, const ObjectsState& state) {
  if (state.keeper.is_null()) return {};
  std::vector<std::string> differences = keeper_differences(wanted, state.keeper);
  return differences.empty() ? "" : ", which differs from this plan: " + join(differences, "; ");
}

}  // namespace

Situation judge_record(const WantedRelease& wanted, const std::vector<Release>& releases,
                       int64_t interrupted_revision, WallTime now) {
  Situation situation;
  const Release* current = newest(releases);
  if (current == nullptr || current->status == "uninstalled") {
    situation.reason = "release " + wanted.name() + " is not installed";
    return situation;
  }
  if (current->unfinished())
    return judge_unfinished(wanted, releases, *current, interrupted_revision, now);
  situation.differences = differences(wanted, *current);
  situation.kind = situation.differences.empty() ? Kind::kReady : Kind::kDiffers;
  situation.reason = situation.differences.empty()
                         ? "release " + wanted.name() + " is " + current->chart + " " +
                               current->version + " at revision " +
                               std::to_string(current->revision)
                         : "release " + wanted.name() + ": " + join(situation.differences, "; ");
  return situation;
}

void judge_objects(const WantedRelease& wanted, const ObjectsState& state, Situation& situation) {
  situation.handed_over = state.handed_over;
  bool kept = situation.kind != Kind::kAbsent && !state.handed_over.empty() && !wanted.reclaim;
  if (kept) {
    situation.kind = Kind::kReady;
    situation.differences.clear();
    situation.reason = "release " + wanted.name() + " was handed over to Argo CD's Application " +
                       state.handed_over + about_keeper(wanted, state);
  }
  if (situation.kind != Kind::kReady) return;
  if (!state.missing.empty()) {
    situation.differences = {"missing: " + list_of(state.missing)};
    situation.kind = kept ? Kind::kUnready : Kind::kDiffers;
    situation.reason += ", but " + situation.differences.front();
  } else if (wanted.wait && !state.unready.empty()) {
    judge_unready(wanted, state, situation);
  }
}

std::string describe_unready(const WantedRelease& wanted, const ObjectsState& state,
                             const std::string& why) {
  return count_of(state.unready.size(), "object") + " of release " + wanted.name() +
         (state.unready.size() == 1 ? " is" : " are") + " not ready: " + why;
}

Observation describe_release(const WantedRelease& wanted, const Situation& situation,
                             const Release* current) {
  Observation seen = situation.kind == Kind::kAbsent  ? Observation::absent(situation.reason)
                     : situation.kind == Kind::kReady ? Observation::present(situation.reason)
                                                      : Observation::differs(situation.reason);
  seen.outputs["release"] = wanted.release;
  seen.outputs["namespace"] = wanted.name_space;
  if (current == nullptr) return seen;
  seen.outputs["revision"] = current->revision;
  seen.outputs["chart"] = current->chart;
  seen.outputs["version"] = current->version;
  seen.outputs["status"] = current->status;
  return seen;
}

Decision decide_release(const WantedRelease& wanted, const Situation& situation,
                        const Observation& seen) {
  if (seen.state == Observation::State::kDeferred)
    return Decision::act(upgrade_action(wanted, Situation{}), seen.reason);
  switch (situation.kind) {
    case Kind::kReady: return Decision::satisfied(situation.reason);
    case Kind::kBusy:
    case Kind::kUnready: {
      Decision decision = Decision::wait(situation.reason);
      decision.causes = situation.causes;
      decision.waits_for = situation.unready;
      return decision;
    }
    case Kind::kInterrupted:
      return Decision::act({repair_action(wanted, situation), upgrade_action(wanted, situation)},
                           situation.reason);
    case Kind::kStuck: {
      Decision decision =
          Decision::blocked(situation.reason, "correct the chart or its values, then apply again");
      decision.causes = situation.causes;
      return decision;
    }
    case Kind::kAbsent:
    case Kind::kDiffers: break;
  }
  return Decision::act(upgrade_action(wanted, situation), situation.reason);
}

Decision decide_release_removal(const WantedRelease& wanted, const Situation& situation,
                                const Observation& seen) {
  if (seen.state == Observation::State::kDeferred || situation.kind == Kind::kAbsent)
    return Decision::satisfied("release " + wanted.name() + " is not installed");
  if (situation.applications > 0) {
    return Decision::blocked("release " + wanted.name() + " is Argo CD and still has " +
                                 count_of(situation.applications, "Application"),
                             "remove the Applications first, or destroy the cluster as a whole");
  }
  if (!situation.handed_over.empty() && !wanted.reclaim)
    return Decision::satisfied("left in place: release " + wanted.name() +
                               " was handed over to Argo CD's Application " +
                               situation.handed_over);
  if (!situation.installed_here)
    return Decision::satisfied("left in place: release " + wanted.name() +
                               " was not installed by blackstart, as far as can be told");
  Action action;
  action.id = "uninstall";
  action.summary = "uninstall release " + wanted.name() + " and remove its objects";
  action.destructive = true;
  return Decision::act(std::move(action), situation.reason);
}

}  // namespace blackstart::stages::helm

#include "orchestrator/plan/edges.h"

#include <algorithm>
#include <unordered_set>

#include "orchestrator/plan/scope.h"
#include "orchestrator/plan/suggest.h"
#include "orchestrator/plan/template.h"

namespace blackstart::plan {
namespace {

/// Collects the stages that expressions name, each once.
class EdgeCollector {
 public:
  explicit EdgeCollector(std::vector<Need>& needs) : needs_(needs) {}
  void operator()(const Expression& reference) {
    if (reference.kind == Expression::Kind::kOutput) add(reference.name, reference.place);
  }
  void add(const std::string& stage, Place place) {
    if (known_.empty()) {  // most stages name none
      for (const Need& need : needs_) known_.insert(need.stage);
    }
    if (known_.insert(stage).second) needs_.push_back({stage, place, true});
  }

 private:
  std::vector<Need>& needs_;
  std::unordered_set<std::string> known_;
};

std::vector<std::string> names_of(const std::vector<Stage>& stages) {
  std::vector<std::string> names;
  for (const Stage& stage : stages) names.push_back(stage.name);
  return names;
}

void report_unknown(const Plan& plan, const Need& need, const std::map<std::string, Place>& removed,
                    Suggester& suggester, Diagnostics& diagnostics) {
  auto gone = removed.find(need.stage);
  if (gone != removed.end()) {
    diagnostics.error(need.place,
                      "stage '" + need.stage + "' is removed by environment '" + plan.environment +
                          "' at " + gone->second.to_string(),
                      "remove this need in the environment too", gone->second);
  } else if (!need.implied) {  // implied ones are reported where the expression is read
    diagnostics.error(need.place, "'needs' names the unknown stage '" + need.stage + "'",
                      suggester.among(need.stage, [&] { return names_of(plan.stages); }));
  }
}

/// Strips what does not lie on or behind a circle, then follows needs in what is left.
class CircleFinder {
 public:
  CircleFinder(const Plan& plan, Diagnostics& diagnostics)
      : plan_(plan), diagnostics_(diagnostics) {
    index_needs();
    strip();
  }

  void report_all() {
    std::vector<size_t> seen_by(plan_.stages.size(), kNone);
    for (size_t start = 0; start < plan_.stages.size(); ++start) {
      if (open_needs_[start] > 0 && seen_by[start] == kNone) follow(start, seen_by);
    }
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;

  void index_needs() {
    size_t count = plan_.stages.size();
    needed_by_.resize(count);
    needs_.resize(count);
    open_needs_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      for (const Need& need : plan_.stages[i].needs) {
        auto found = plan_.positions.find(need.stage);
        if (found == plan_.positions.end()) continue;
        needs_[i].emplace_back(found->second, &need);
        needed_by_[found->second].push_back(i);
        ++open_needs_[i];
      }
    }
  }

  void strip() {
    std::vector<size_t> free;
    for (size_t i = 0; i < open_needs_.size(); ++i) {
      if (open_needs_[i] == 0) free.push_back(i);
    }
    while (!free.empty()) {
      size_t stage = free.back();
      free.pop_back();
      for (size_t waiting : needed_by_[stage]) {
        if (--open_needs_[waiting] == 0) free.push_back(waiting);
      }
    }
  }

  void follow(size_t start, std::vector<size_t>& seen_by) {
    std::vector<size_t> path;
    size_t at = start;
    while (seen_by[at] == kNone) {
      seen_by[at] = start;
      path.push_back(at);
      auto next = std::ranges::find_if(
          needs_[at], [&](const auto& need) { return open_needs_[need.first] > 0; });
      at = next->first;
    }
    if (seen_by[at] != start) return;  // runs into a circle that is already reported
    std::vector<size_t> circle(std::ranges::find(path, at), path.end());
    std::ranges::rotate(circle, std::ranges::min_element(circle));
    report(circle);
  }

  void report(const std::vector<size_t>& circle) {
    std::vector<std::string> names;
    for (size_t stage : circle) names.push_back(plan_.stages[stage].name);
    names.push_back(names.front());
    size_t next = circle.size() > 1 ? circle[1] : circle[0];
    auto edge =
        std::ranges::find(needs_[circle[0]], next, [](const auto& need) { return need.first; });
    diagnostics_.error(
        edge->second->place, "stages need each other in a circle: " + join(names, " -> "),
        edge->second->implied
            ? "'" + names[0] + "' needs '" + names[1] + "' because an expression uses its output"
            : "remove one of these needs");
  }

  const Plan& plan_;
  Diagnostics& diagnostics_;
  std::vector<std::vector<std::pair<size_t, const Need*>>> needs_;
  std::vector<std::vector<size_t>> needed_by_;
  std::vector<size_t> open_needs_;  // after strip(): 0 = not on or behind a circle
};

void check_needs(const Plan& plan, const std::map<std::string, Place>& removed,
                 Diagnostics& diagnostics) {
  Suggester suggester;
  for (const Stage& stage : plan.stages) {
    for (const Need& need : stage.needs) {
      if (!plan.positions.contains(need.stage))
        report_unknown(plan, need, removed, suggester, diagnostics);
    }
  }
}

}  // namespace

void connect(Plan& plan, const std::map<std::string, Place>& removed, Diagnostics& diagnostics) {
  std::vector<Need> cluster_needs;
  EdgeCollector cluster(cluster_needs);
  if (plan.cluster) visit_references(*plan.cluster, std::ref(cluster));
  for (Stage& stage : plan.stages) {
    EdgeCollector collector(stage.needs);
    visit_references(stage.with, std::ref(collector));
    if (stage.when) visit_when_references(*stage.when, std::ref(collector));
    if (stage.schema == nullptr || !stage.schema->needs_cluster()) continue;
    for (const Need& need : cluster_needs) collector.add(need.stage, stage.place);
    if (!plan.cluster) {
      diagnostics.error(stage.place,
                        "stage '" + stage.name + "' (" + stage.uses +
                            ") works in a cluster, but the plan names none",
                        "add to spec: cluster: {kubeconfig: ${{ stages.NAME.outputs.kubeconfig }}} "
                        "or the path of a kubeconfig");
    }
  }
  check_needs(plan, removed, diagnostics);
  CircleFinder(plan, diagnostics).report_all();
}

}  // namespace blackstart::plan

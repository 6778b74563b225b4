#include "orchestrator/kube/pod_states.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "orchestrator/kube/object.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kMost = 8;

std::string with_message(std::string reason, const std::string& message) {
  if (message.empty()) return reason;
  return reason.empty() ? message : reason + ": " + message;
}

std::string ended(const json::value& terminated) {
  std::string text = "exited with code " + std::to_string(number_at(terminated, {"exitCode"}));
  if (const int64_t signal = number_at(terminated, {"signal"}))
    text += " (signal " + std::to_string(signal) + ')';
  return with_message(
      text, with_message(text_at(terminated, {"reason"}), text_at(terminated, {"message"})));
}

bool is_normal_wait(const std::string& reason) {
  return reason == "ContainerCreating" || reason == "PodInitializing";
}

// `init` containers are done when they have ended well, all others when they are ready.
std::string trouble_of(const json::value& status, bool init) {
  const json::value* waiting = find(status, {"state", "waiting"});
  const json::value* ended_now = find(status, {"state", "terminated"});
  const json::value* ended_last = find(status, {"lastState", "terminated"});
  if (waiting && !is_normal_wait(text_at(*waiting, {"reason"}))) {
    std::string text = with_message(text_at(*waiting, {"reason"}), text_at(*waiting, {"message"}));
    if (ended_last) text += "; it " + ended(*ended_last);
    return text;
  }
  if (ended_now && number_at(*ended_now, {"exitCode"}) != 0) return ended(*ended_now);
  if (init || waiting || ended_now || flag_at(status, {"ready"})) return {};
  if (!find(status, {"state", "running"})) return {};
  std::string text = "running but not ready";
  if (ended_last) text += "; before that it " + ended(*ended_last);
  return text;
}

// An init container that is to go on running beside the others.
bool is_sidecar(const json::value& pod, const std::string& name) {
  return std::ranges::any_of(list_at(pod, {"spec", "initContainers"}), [&](const json::value& one) {
    return text_at(one, {"name"}) == name && text_at(one, {"restartPolicy"}) == "Always";
  });
}

void collect(const json::value& pod, const char* list, bool init,
             std::vector<ContainerTrouble>& troubles) {
  for (const json::value& status : list_at(pod, {"status", list})) {
    const bool to_end = init && !is_sidecar(pod, text_at(status, {"name"}));
    std::string text = trouble_of(status, to_end);
    if (text.empty() || troubles.size() >= kMost) continue;
    const bool ran = find(status, {"state", "running"}) || find(status, {"state", "terminated"}) ||
                     find(status, {"lastState", "terminated"});
    const bool restarted = find(status, {"lastState", "terminated"}) != nullptr &&
                           !find(status, {"state", "terminated"});
    troubles.push_back({text_at(status, {"name"}), std::move(text), ran, restarted});
  }
}

}  // namespace

std::vector<ContainerTrouble> container_troubles(const json::value& pod) {
  std::vector<ContainerTrouble> troubles;
  collect(pod, "initContainerStatuses", true, troubles);
  collect(pod, "containerStatuses", false, troubles);
  return troubles;
}

std::string pod_trouble(const json::value& pod) {
  if (auto scheduled = condition_of(pod, "PodScheduled"); scheduled && scheduled->is_false())
    return "it cannot be scheduled: " + scheduled->text();
  const auto troubles = container_troubles(pod);
  if (troubles.empty()) return {};
  return "container " + troubles.front().container + ": " + troubles.front().text;
}

}  // namespace blackstart::kube

#include "orchestrator/kube/diagnosis.h"

#include <algorithm>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/evidence.h"
#include "orchestrator/kube/pod_states.h"
#include "orchestrator/kube/readiness.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr int kDeepest =
    6;  // root Application, child, Deployment, ReplicaSet, Pod, and one to spare
constexpr size_t kDetails = 40;
constexpr int kLogLines = 10;

std::string sentence_of(const json::value& object, const std::string& text) {
  return ref_of(object).to_string() + (text.empty() ? "" : ": " + text);
}

void add_details(Diagnosis& diagnosis, std::vector<std::string> lines) {
  for (std::string& line : lines) {
    if (diagnosis.details.size() >= kDetails) return;
    if (std::ranges::count(diagnosis.details, line) == 0)
      diagnosis.details.push_back(std::move(line));
  }
}

Task<void> add_log(Client& client, ObjectRef pod, ContainerTrouble trouble, Diagnosis& diagnosis) {
  if (!trouble.has_run) co_return;
  const std::string log =
      co_await client.log_tail(pod, trouble.container, trouble.restarted, kLogLines);
  std::vector<std::string> lines;
  for (const std::string& line : split(log, '\n')) {
    if (!trim(line).empty())
      lines.push_back("log of " + pod.name + '/' + trouble.container + ": " + line);
  }
  if (lines.size() > kLogLines) lines.erase(lines.begin(), lines.end() - kLogLines);
  add_details(diagnosis, std::move(lines));
}

// The pod's own state is in its sentence; what is below it are its containers and their logs.
Task<void> look_into_pod(Client& client, json::value pod, Diagnosis& diagnosis) {
  std::vector<ContainerTrouble> troubles = container_troubles(pod);
  for (size_t i = 1; i < troubles.size(); ++i) {  // the first is in the sentence
    add_details(diagnosis, {"container " + troubles[i].container + ": " + troubles[i].text});
  }
  if (!troubles.empty()) co_await add_log(client, ref_of(pod), troubles.front(), diagnosis);
}

// Goes down one branch: the first child that is not ready is taken as the cause.
Task<void> descend(Client& client, json::value object, int depth, Diagnosis& diagnosis) {
  const ObjectRef ref = ref_of(object);
  const std::vector<std::string> events = co_await if_readable(warning_events(client, object));
  std::vector<Suspect> suspects;
  if (depth < kDeepest) suspects = co_await if_readable(suspects_below(client, object));
  std::string text = readiness_of(object).reason;
  const bool innermost = suspects.empty();
  if (innermost && ref.kind != "Pod" && !events.empty()) text += " (" + events.back() + ")";
  if (innermost && ref.kind == "Pod" && pod_trouble(object).empty() && !events.empty())
    text = events.back();
  diagnosis.chain.push_back(sentence_of(object, text));
  std::vector<std::string> lines;
  for (const std::string& event : events)
    lines.push_back("event of " + ref.to_string() + ": " + event);
  add_details(diagnosis, std::move(lines));
  if (ref.kind == "Pod") co_await look_into_pod(client, object, diagnosis);
  if (suspects.empty()) co_return;
  for (size_t i = 1; i < suspects.size(); ++i) add_details(diagnosis, {suspects[i].text});
  if (suspects.front().object.is_null()) {
    diagnosis.chain.push_back(suspects.front().text);
  } else {
    co_await descend(client, std::move(suspects.front().object), depth + 1, diagnosis);
  }
}

}  // namespace

std::string Diagnosis::sentence() const { return join(chain, " → "); }

Task<Diagnosis> diagnose(Client& client, json::value object) {
  Diagnosis diagnosis;
  co_await descend(client, std::move(object), 1, diagnosis);
  co_return diagnosis;
}

}  // namespace blackstart::kube

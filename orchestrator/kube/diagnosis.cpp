#include "orchestrator/kube/diagnosis.h"

#include <algorithm>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/evidence.h"
#include "orchestrator/kube/pod_states.h"
#include "orchestrator/kube/surroundings.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

// Root Application, child, Deployment, ReplicaSet, Pod, claim, StorageClass, and one to spare.
constexpr int kDeepest = 8;
constexpr size_t kDetails = 40;
constexpr int kLogLines = 10;
constexpr size_t kLogShown = 200;  // of a line in the sentence

void add_details(Diagnosis& diagnosis, std::vector<std::string> lines) {
  for (std::string& line : lines) {
    if (diagnosis.details.size() >= kDetails) return;
    if (std::ranges::count(diagnosis.details, line) == 0)
      diagnosis.details.push_back(std::move(line));
  }
}

// The last line of the log; empty when there is none.
Task<std::string> add_log(Client& client, ObjectRef pod, ContainerTrouble trouble,
                          Diagnosis& diagnosis) {
  std::string last;
  if (!trouble.has_run) co_return last;
  const std::string log =
      co_await client.log_tail(pod, trouble.container, trouble.restarted, kLogLines);
  std::vector<std::string> lines;
  for (const std::string& line : split(log, '\n')) {
    if (trim(line).empty()) continue;
    last = trim(line).substr(0, kLogShown);
    lines.push_back("log of " + pod.name + '/' + trouble.container + ": " + line);
  }
  if (lines.size() > kLogLines) lines.erase(lines.begin(), lines.end() - kLogLines);
  add_details(diagnosis, std::move(lines));
  co_return last;
}

// The pod's own state is in its sentence; what is below it are its containers and their logs.
// Returns the last line of the log of the container that the sentence names.
Task<std::string> look_into_pod(Client& client, json::value pod, Diagnosis& diagnosis) {
  std::vector<ContainerTrouble> troubles = container_troubles(pod);
  for (size_t i = 1; i < troubles.size(); ++i) {  // the first is in the sentence
    add_details(diagnosis, {"container " + troubles[i].container + ": " + troubles[i].text});
  }
  std::string last;
  if (!troubles.empty()) last = co_await add_log(client, ref_of(pod), troubles.front(), diagnosis);
  co_return last;
}

// The newest event says what an object that has nothing below it does not say itself.
std::string with_event(const Suspect& suspect, const std::vector<std::string>& events) {
  const bool says_why = suspect.state.find(": ") != std::string::npos;
  if (events.empty() || says_why) return suspect.state;
  return suspect.ref.kind == "Pod" ? events.back() : suspect.state + " (" + events.back() + ")";
}

void add_events(Diagnosis& diagnosis, const ObjectRef& ref,
                const std::vector<std::string>& events) {
  std::vector<std::string> lines;
  for (const std::string& event : events)
    lines.push_back("event of " + ref.to_string() + ": " + event);
  add_details(diagnosis, std::move(lines));
}

// Goes down one branch: the first suspect is taken as the cause.
Task<void> descend(Client& client, Suspect suspect, int depth, Diagnosis& diagnosis) {
  std::vector<std::string> events;
  std::vector<Suspect> below;
  if (!suspect.object.is_null()) {
    events = co_await if_readable(warning_events(client, suspect.object));
    if (depth < kDeepest) below = co_await if_readable(suspects_below(client, suspect.object));
  }
  if (below.empty()) suspect.state = with_event(suspect, events);
  diagnosis.chain.push_back(suspect.sentence());
  add_events(diagnosis, suspect.ref, events);
  std::string last_words;
  if (suspect.ref.kind == "Pod" && !suspect.object.is_null())
    last_words = co_await look_into_pod(client, suspect.object, diagnosis);
  if (below.empty() && !last_words.empty())
    diagnosis.chain.push_back("its log ends: " + last_words);
  for (size_t i = 1; i < below.size(); ++i) add_details(diagnosis, {below[i].sentence()});
  if (!below.empty()) co_await descend(client, std::move(below.front()), depth + 1, diagnosis);
}

// Controllers repeat what they were told below: "0 of 1 replica is updated: WHY" above a ReplicaSet
// that says WHY itself.
std::string without_repetition(const std::string& link, const std::vector<std::string>& below) {
  for (size_t at = link.find(": "); at != std::string::npos; at = link.find(": ", at + 2)) {
    const std::string rest = link.substr(at + 2);
    const bool is_state = link.find(": ") != at;  // the first one ends the name
    const bool said = std::ranges::any_of(
        below, [&rest](const std::string& one) { return one.find(rest) != std::string::npos; });
    if (is_state && said) return link.substr(0, at);
  }
  return link;
}

}  // namespace

std::string Diagnosis::sentence() const {
  std::vector<std::string> links;
  for (size_t i = 0; i < chain.size(); ++i) {
    const std::vector<std::string> below(chain.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                         chain.end());
    links.push_back(without_repetition(chain[i], below));
  }
  return join(links, " → ");
}

Task<Diagnosis> diagnose(Client& client, json::value object) {
  std::vector<const json::value*> objects(1, &object);
  const Surroundings around = co_await look_around(client, std::move(objects));
  Suspect suspect = suspect_of(std::move(object), around);
  Diagnosis diagnosis = co_await diagnose_suspect(client, std::move(suspect));
  co_return diagnosis;
}

Task<Diagnosis> diagnose_suspect(Client& client, Suspect suspect) {
  Diagnosis diagnosis;
  co_await descend(client, std::move(suspect), 1, diagnosis);
  co_return diagnosis;
}

}  // namespace blackstart::kube

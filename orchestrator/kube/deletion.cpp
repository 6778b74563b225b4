#include "orchestrator/kube/deletion.h"

#include "orchestrator/base/text.h"
#include "orchestrator/kube/evidence.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kServices = 5;

// The condition by which a namespace says that groups could not be listed, and nothing is deleted
// until they can.
bool cannot_discover(const json::value& name_space) {
  auto failure = condition_of(name_space, "NamespaceDeletionDiscoveryFailure");
  return failure && failure->is_true();
}

Task<std::vector<std::string>> unavailable_services(Client& client) {
  std::vector<std::string> texts;
  auto list = co_await if_readable(client.list("apiregistration.k8s.io/v1", "APIService", ""));
  if (!list) co_return texts;
  for (const json::value& service : list->items) {
    const Readiness readiness = readiness_of(service);
    if (!readiness.ready() && texts.size() < kServices)
      texts.push_back(ref_of(service).to_string() + ": " + readiness.reason);
  }
  co_return texts;
}

}  // namespace

std::vector<std::string> blockers_of(const json::value& object) {
  std::vector<std::string> texts;
  const bool all_are_about_it = text_at(object, {"kind"}) == "Namespace";
  for (const Condition& condition : conditions_of(object)) {
    const bool about_it = all_are_about_it || condition.type == "Terminating";
    if (about_it && condition.is_true() && !condition.message.empty())
      texts.push_back(condition.message);
  }
  for (const json::value& name : list_at(object, {"metadata", "finalizers"})) {
    if (name.is_string()) texts.push_back("finalizer " + std::string(name.get_string()));
  }
  return texts;
}

Task<std::vector<std::string>> why_terminating(Client& client, std::string name_space) {
  const ObjectRef ref("v1", "Namespace", "", name_space);
  auto found = co_await if_readable(client.get(ref));
  const std::string since =
      found ? text_at(*found, {"metadata", "deletionTimestamp"}) : std::string();
  std::vector<std::string> texts;
  if (since.empty()) co_return texts;
  texts.push_back("Namespace " + name_space + " is being deleted since " + since);
  for (std::string& text : blockers_of(*found)) texts.push_back(std::move(text));
  if (!cannot_discover(*found)) co_return texts;
  auto services = co_await unavailable_services(client);
  for (std::string& text : services) texts.push_back(std::move(text));
  co_return texts;
}

}  // namespace blackstart::kube

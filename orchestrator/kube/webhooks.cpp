#include "orchestrator/kube/webhooks.h"

#include <boost/json/array.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/diagnosis.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

// Where one is declared: the object that holds it, and its clientConfig.
struct Declared {
  ObjectRef holder;
  json::value client;
  std::string policy;  // "failurePolicy Fail", or empty
};

ObjectRef service_of(const Declared& webhook) {
  return {"v1", "Service", text_at(webhook.client, {"service", "namespace"}),
          text_at(webhook.client, {"service", "name"})};
}

// What the API server asks when it calls a webhook that is declared so; it adds a query.
std::string url_of(const json::value& client) {
  const std::string url = text_at(client, {"url"});
  if (!url.empty()) return url;
  std::string path = text_at(client, {"service", "path"}, "/");
  if (!path.starts_with('/')) path.insert(0, "/");
  return "https://" + text_at(client, {"service", "name"}) + "." +
         text_at(client, {"service", "namespace"}) +
         ".svc:" + std::to_string(number_at(client, {"service", "port"}, 443)) + path;
}

bool is_asked_at(const json::value& client, const std::string& url) {
  return url.empty() || url.substr(0, url.find('?')) == url_of(client);
}

// A name is unique within a configuration alone: cert-manager calls both of its webhooks the same.
std::optional<Declared> declared_in(const json::value& configuration,
                                    const UncallableWebhook& which) {
  for (const json::value& one : list_at(configuration, {"webhooks"})) {
    const json::value* client = find(one, {"clientConfig"});
    if (text_at(one, {"name"}) == which.name && client && is_asked_at(*client, which.url))
      return Declared{ref_of(configuration), *client,
                      "failurePolicy " + text_at(one, {"failurePolicy"}, "Fail")};
  }
  return std::nullopt;
}

std::optional<Declared> converts(const json::value& definition, const UncallableWebhook& which) {
  const json::value* client = find(definition, {"spec", "conversion", "webhook", "clientConfig"});
  const bool same = which.name.starts_with(text_at(definition, {"spec", "group"}) + "/") &&
                    which.name.ends_with("Kind=" + text_at(definition, {"spec", "names", "kind"}));
  if (!client || !same) return std::nullopt;
  return Declared{ref_of(definition), *client, ""};
}

struct Holder {
  const char* api_version;
  const char* kind;
  std::optional<Declared> (*look)(const json::value&, const UncallableWebhook&);
};

constexpr Holder kHolders[] = {
    {"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", declared_in},
    {"admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", declared_in},
    {"apiextensions.k8s.io/v1", "CustomResourceDefinition", converts},
};

Task<std::optional<Declared>> find_declared(Client& client, UncallableWebhook which) {
  for (const Holder& holder : kHolders) {
    auto list = co_await if_readable(client.list(holder.api_version, holder.kind, ""));
    if (!list) continue;
    for (const json::value& one : list->items) {
      if (auto found = holder.look(one, which)) co_return found;
    }
  }
  co_return std::nullopt;
}

// The time at which the innermost thing that knows one went out of order.
std::string since(const json::value& object) {
  for (const json::value& one : list_at(object, {"status", "conditions"})) {
    if (text_at(one, {"type"}) == "Available" && text_at(one, {"status"}) != "True")
      return text_at(one, {"lastTransitionTime"});
  }
  return {};
}

// What the Deployment behind a Service says, with the time since when.
Task<std::string> why_silent(Client& client, Suspect service) {
  std::string when;
  if (!service.object.is_null()) {
    auto below = co_await if_readable(suspects_below(client, service.object));
    if (!below.empty()) when = since(below.front().object);
  }
  Diagnosis diagnosis = co_await diagnose_suspect(client, std::move(service));
  co_return diagnosis.sentence() + (when.empty() ? "" : " (since " + when + ")");
}

std::string how_to_remove(const Declared& webhook) {
  if (webhook.holder.kind == "CustomResourceDefinition")
    return "its operator must run again: without the webhook no object of this kind can be read";
  return "bring up what serves the webhook; if that is gone for good, remove the webhook by hand: "
         "kubectl delete " +
         lower_case(webhook.holder.kind) + " " + webhook.holder.name;
}

}  // namespace

Task<SilentWebhook> explain_webhook(Client& client, UncallableWebhook which) {
  SilentWebhook result;
  auto declared = co_await find_declared(client, std::move(which));
  if (!declared) co_return result;
  result.hint = how_to_remove(*declared);
  const std::string policy = declared->policy.empty() ? "" : " (" + declared->policy + ")";
  const std::string url = text_at(declared->client, {"url"});
  const std::string who = url.empty() ? service_of(*declared).to_string() : url;
  result.causes.push_back(declared->holder.to_string() + " has " + who + " asked" + policy);
  if (!url.empty()) co_return result;
  auto silent = co_await if_readable(silent_service(client, service_of(*declared)));
  if (!silent) co_return result;
  std::string why = co_await why_silent(client, std::move(*silent));
  result.causes.push_back(std::move(why));
  co_return result;
}

}  // namespace blackstart::kube

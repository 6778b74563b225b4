#include "orchestrator/kube/apply.h"

#include <set>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/deletion.h"
#include "orchestrator/kube/evidence.h"
#include "orchestrator/kube/field_place.h"
#include "orchestrator/kube/immutable.h"
#include "orchestrator/kube/layers.h"
#include "orchestrator/kube/readiness_rules.h"
#include "orchestrator/kube/watch.h"
#include "orchestrator/kube/webhooks.h"
#include "orchestrator/world/async.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kWaitsAtOnce = 8;
constexpr size_t kErrorsShown = 20;
constexpr Duration kEstablishedWithin = std::chrono::seconds(60);
// Discovery follows a new CRD within a second or so; then an unknown kind is a mistake.
constexpr Duration kKnownWithin = std::chrono::seconds(15);

// What the concurrent tasks of one set share; outlives them.
struct Application {
  Client& client;
  const Manifests& manifests;
  const ApplySetOptions& options;
  bool follows_definitions = false;  // of this layer: an unknown kind may still come
  bool given_up = false;             // nobody answers: the rest is not even tried
  std::set<UncallableWebhook> webhooks = {};
  std::set<std::string> leaving = {};  // namespaces that are being deleted
  size_t tried = 0;                    // objects of the layer that failed, and of what came after
  std::vector<std::pair<size_t, Error>> errors = {};
};

// How a try ended: with an error in place of an exception, because waiting is not possible in a
// handler.
struct Attempt {
  std::optional<Error> error;
  bool unknown_kind = false;
  std::optional<ApiError> immutable;  // refused for fields that never change
  std::vector<FieldConflict> conflicts;
};

void note_in_the_way(Application& set, const ApiError& error, const ObjectRef& ref) {
  if (error.reason() == kUncallable) set.webhooks.insert(error.webhook());
  if (error.reason() == kTerminating) set.leaving.insert(ref.name_space);
}

Task<Attempt> try_apply(Application& set, size_t index, bool force) {
  const Client::ApplyOptions options{set.options.field_manager, force, false};
  json::value object = set.manifests[index].object;
  const std::string kind = set.manifests[index].ref().kind;
  Attempt attempt;
  try {
    co_await set.client.apply(std::move(object), options);
  } catch (const ApiError& error) {
    attempt.error = error;
    note_in_the_way(set, error, set.manifests[index].ref());
    attempt.unknown_kind = error.reason() == kNoMatch;
    if (!immutable_fields(error).empty()) attempt.immutable = error;
    attempt.conflicts = error.conflicts();
    if (attempt.unknown_kind && error.status() != 0)  // listed, but its handler does not serve yet
      attempt.error = Error(ErrorClass::kTransient, error.summary())
                          .because("no matches for kind \"" + kind + "\"");
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::kCancelled) throw;
    attempt.error = error;
  }
  if (!attempt.immutable) co_return attempt;
  const json::value& wanted = set.manifests[index].object;
  auto live = co_await if_readable(set.client.get(ref_of(wanted)));
  if (live)
    attempt.error =
        cannot_change(*attempt.immutable, immutable_fields(*attempt.immutable), *live, wanted);
  co_return attempt;
}

// Force comes second, so that what it takes from others can be said.
Task<Attempt> try_apply(Application& set, size_t index) {
  Attempt attempt = co_await try_apply(set, index, false);
  if (attempt.conflicts.empty() || !set.options.force) co_return attempt;
  Attempt forced = co_await try_apply(set, index, true);
  if (!forced.error && set.options.on_taken_over)
    for (const FieldConflict& taken : attempt.conflicts)
      set.options.on_taken_over(set.manifests[index].ref(), taken);
  co_return forced;
}

Task<void> apply_one(Application& set, size_t index) {
  if (set.given_up) co_return;
  Clock& clock = set.client.world().clock;
  const Instant until = clock.now() + kKnownWithin;
  Duration pause = std::chrono::milliseconds(100);
  Attempt attempt = co_await try_apply(set, index);
  while (attempt.unknown_kind && set.follows_definitions && clock.now() < until) {
    co_await clock.sleep_until(clock.now() + pause);
    pause = std::min(pause * 2, Duration(std::chrono::seconds(2)));
    set.client.forget_discovery();
    attempt = co_await try_apply(set, index);
  }
  std::optional<Error>& error = attempt.error;
  if (!error) {
    if (set.options.on_applied) set.options.on_applied(set.manifests[index].ref());
    co_return;
  }
  if (error->error_class() == ErrorClass::kUnreachable) set.given_up = true;
  set.errors.emplace_back(index, std::move(*error));
}

// The class that decides for all: what repeating cannot help outweighs what it can.
int weight_of(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::kAuthentication: return 6;
    case ErrorClass::kUsage:
    case ErrorClass::kPermanent: return 5;
    case ErrorClass::kConflict: return 4;
    case ErrorClass::kUnreachable: return 3;
    case ErrorClass::kThrottled:
    case ErrorClass::kNotReady: return 2;
    default: return 1;
  }
}

// What is in the way, looked into once for all the objects that it holds up.
struct Obstacles {
  std::vector<std::string> causes;
  std::string hint;
};

Task<Obstacles> look_into_obstacles(Application& set) {
  Obstacles all;
  for (const UncallableWebhook& which : set.webhooks) {
    SilentWebhook webhook = co_await explain_webhook(set.client, which);
    for (std::string& cause : webhook.causes) all.causes.push_back(std::move(cause));
    if (all.hint.empty()) all.hint = std::move(webhook.hint);
  }
  for (const std::string& name : set.leaving) {
    auto causes = co_await why_terminating(set.client, name);
    for (std::string& cause : causes) all.causes.push_back(std::move(cause));
  }
  co_return all;
}

// Of a single error its own, of several what each of them says and where it was written.
std::vector<std::string> causes_of(const std::vector<std::pair<size_t, Error>>& errors) {
  if (errors.size() == 1) return errors.front().second.causes();
  std::vector<std::string> causes;
  for (size_t i = 0; i < errors.size() && i < kErrorsShown; ++i) {
    const std::string place = errors[i].second.place().to_string();
    causes.push_back(errors[i].second.full_text() + (place.empty() ? "" : " (" + place + ")"));
  }
  if (errors.size() > kErrorsShown)
    causes.push_back("and " + std::to_string(errors.size() - kErrorsShown) + " more");
  return causes;
}

[[noreturn]] void throw_all(Application& set, const Obstacles& obstacles) {
  auto& errors = set.errors;
  std::ranges::sort(errors, {}, [](const auto& one) { return one.first; });
  for (size_t i = 0; i < errors.size(); ++i) {
    auto& [index, error] = errors[i];
    const Manifest& manifest = set.manifests[index];
    const Files& files = set.client.world().files;
    error.at(i < kErrorsShown ? place_of_field(files, manifest, error.full_text())
                              : manifest.place);
  }
  const auto worst = std::ranges::max_element(
      errors, {}, [](const auto& one) { return weight_of(one.second.error_class()); });
  const bool in_the_way =
      worst->second.error_class() == ErrorClass::kNotReady && !obstacles.hint.empty();
  const std::string& hint = in_the_way ? obstacles.hint : worst->second.hint();
  Error error(worst->second.error_class(),
              errors.size() == 1 ? worst->second.summary()
                                 : std::to_string(errors.size()) + " of " +
                                       count_of(set.tried, "object") + " could not be applied");
  error.at(worst->second.place()).hint(hint);
  for (const std::string& cause : causes_of(errors)) error.because(cause);
  for (const std::string& cause : obstacles.causes) error.because(cause);
  int seconds = 0;
  for (const auto& [index, one] : errors) seconds = std::max(seconds, one.retry_after_seconds());
  throw error.retry_after(seconds);
}

Task<void> apply_layer(Application& set, std::vector<size_t> layer) {
  std::vector<std::function<Task<void>()>> tasks;
  for (const size_t index : layer) {
    tasks.push_back([&set, index] { return apply_one(set, index); });
  }
  set.tried = layer.size() + (set.errors.empty() ? 0 : set.tried);
  co_await run_all(set.client.world().executor, std::move(tasks), set.options.concurrency);
}

// Nothing but webhooks is in the way, and the layer of their configurations may bring the repair.
bool admission_may_help(const Application& set, Layer layer) {
  return layer == Layer::kOthers && std::ranges::all_of(set.errors, [](const auto& one) {
           return one.second.error_class() == ErrorClass::kNotReady;
         });
}

Task<void> fail(Application& set) {
  const Obstacles obstacles = co_await look_into_obstacles(set);
  throw_all(set, obstacles);
}

Task<void> establish_layer(Client& client, const Manifests& manifests, std::vector<size_t> layer) {
  std::vector<std::function<Task<void>()>> tasks;
  for (const size_t index : layer) {
    const std::string name = manifests[index].ref().name;
    tasks.push_back([&client, name] { return wait_established(client, name); });
  }
  co_await run_all(client.world().executor, std::move(tasks), kWaitsAtOnce);
  client.forget_discovery();
}

}  // namespace

Task<void> apply_set(Client& client, const Manifests& manifests, ApplySetOptions options) {
  const Manifests wanted = co_await with_namespace(client, manifests, options.default_namespace);
  Application set{client, wanted, options};
  const auto layers = layers_of(wanted);
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    if (layers[layer].empty()) continue;
    co_await apply_layer(set, layers[layer]);
    if (!set.errors.empty() && !admission_may_help(set, static_cast<Layer>(layer))) break;
    if (static_cast<Layer>(layer) != Layer::kDefinitions) continue;
    co_await establish_layer(client, wanted, layers[layer]);
    set.follows_definitions = true;
  }
  if (!set.errors.empty()) co_await fail(set);
}

namespace {

bool is_established(const json::value& definition, const std::string& name) {
  const auto names = condition_of(definition, "NamesAccepted");
  if (names && names->is_false()) {
    throw Error(ErrorClass::kPermanent, "CustomResourceDefinition " + name + " was not accepted")
        .because(names->message)
        .hint("another CustomResourceDefinition holds one of its names: remove one of the two");
  }
  const auto established = condition_of(definition, "Established");
  return established && established->is_true();
}

}  // namespace

Task<void> wait_established(Client& client, std::string name) {
  const Selection selection{"apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name, ""};
  const std::function<bool(const json::value*)> established = [name](const json::value* seen) {
    return seen && is_established(*seen, name);
  };
  co_await watch_until(client, selection, kEstablishedWithin,
                       "CustomResourceDefinition " + name + " is not Established after 60s",
                       established);
}

}  // namespace blackstart::kube

#include "stages/target.h"

#include "orchestrator/kube/kubeconfig.h"
#include "orchestrator/world/shared_work.h"

namespace blackstart::stages {
namespace {

constexpr const char* kName = "cluster";  // of the shared connection

/// The run's one connection. Stages that connect at once share the first check of the identity.
struct Connection {
  explicit Connection(Executor executor) : checks(std::move(executor)) {}
  SharedWork checks;
  std::shared_ptr<kube::Client> client;
  bool verified = false;
  bool remembered = false;  // a look verifies and may not write: who it was is still to be noted

  bool good_for(const engine::Context& context) const {
    return verified && (remembered || context.read_only);
  }
};

const plan::Value& cluster_of(engine::Context& context) {
  const plan::Value& cluster = context.cluster();
  if (cluster.is_null()) {
    throw Error(ErrorClass::kUsage,
                "stage " + context.stage().name + " works on a cluster, and the plan names none")
        .at(context.stage().place)
        .hint(
            "add to spec: `cluster: {kubeconfig: PATH, context: NAME}`; the ambient kubeconfig is "
            "never used");
  }
  return cluster;
}

kube::Endpoint endpoint_of(engine::Context& context) {
  const plan::Value& cluster = cluster_of(context);
  const plan::Value* kubeconfig = cluster.given("kubeconfig");
  if (!kubeconfig) {
    throw Error(ErrorClass::kUsage, "the plan's `cluster:` names no kubeconfig").at(cluster.place);
  }
  const plan::Value* name = cluster.given("context");
  return load_endpoint(context, kubeconfig->as_text(), name ? name->as_text() : "");
}

/// Once a run, whichever stage is the first to come.
void warn_of_trust(engine::Context& context, const kube::Endpoint& endpoint) {
  context.shared().get_or_make<bool>("trust " + endpoint.server, [&] {
    context.warn("the API server at " + endpoint.server +
                     " is not verified: whoever answers there sees our credentials",
                 "the kubeconfig's cluster says insecure-skip-tls-verify: give it the CA "
                 "(certificate-authority-data) instead");
    return std::make_shared<bool>(true);
  });
}

Error another_cluster(engine::Context& context, const kube::Endpoint& endpoint,
                      const std::string& recorded, const std::string& found) {
  return Error(ErrorClass::kAuthentication,
               "the kubeconfig leads to another cluster than the one this plan was applied to")
      .at(cluster_of(context).place)
      .because("context " + endpoint.context + " of " + endpoint.kubeconfig + " is " +
               endpoint.server)
      .because("recorded: " + recorded)
      .because("found: " + found)
      .hint(
          "nothing was written. Check `cluster:` in the plan; if the cluster was made anew on "
          "purpose, "
          "give it a state folder of its own with --state (now: " +
          context.state_folder() + ")");
}

/// The first one to come compares, or records what is there.
Task<void> verify(engine::Context& context, Connection& connection) {
  kube::Identity found = co_await connection.client->identity();
  co_await verify_identity(context, connection.client->endpoint(), std::move(found));
  connection.remembered = context.known_cluster().has_value();
}

Task<void> check(engine::Context& context, std::shared_ptr<Connection> connection) {
  try {
    if (!connection->client)
      connection->client = std::make_shared<kube::Client>(context.world(), endpoint_of(context));
    co_await verify(context, *connection);
    connection->verified = context.shared().target_reached = true;
  } catch (...) {
    connection->client = nullptr;  // the kubeconfig may be another one at the next try
    connection->verified = false;
    throw;
  }
}

}  // namespace

bool is_the_target(engine::Context& context, const kube::Endpoint& endpoint) {
  const plan::Value& cluster = context.cluster();
  if (cluster.is_null()) return false;
  if (const plan::Value* unknown = cluster.first_unknown())
    return unknown->stage == context.stage().name;
  const plan::Value* kubeconfig = cluster.given("kubeconfig");
  return kubeconfig != nullptr && kubeconfig->as_text() == endpoint.kubeconfig &&
         endpoint_of(context).context == endpoint.context;
}

Task<void> verify_identity(engine::Context& context, const kube::Endpoint& endpoint,
                           kube::Identity found) {
  std::string seen = found.to_string();
  std::optional<std::string> recorded = context.known_cluster();
  if (recorded && *recorded != seen) throw another_cluster(context, endpoint, *recorded, seen);
  if (!recorded) co_await context.remember_cluster(seen);
}

kube::Endpoint load_endpoint(engine::Context& context, const std::string& kubeconfig,
                             const std::string& name) {
  const Files& files = context.world().files;
  kube::Endpoint endpoint = kube::load_kubeconfig(files, {kubeconfig}, name);
  for (const std::string& secret : kube::secrets_of(files, endpoint)) context.redact(secret);
  events::Bus& bus = context.bus();  // outlives every client, which a context does not
  endpoint.on_secret = [&bus](std::string_view secret) { bus.redactor().add(secret); };
  if (endpoint.tls->insecure) warn_of_trust(context, endpoint);
  return endpoint;
}

std::optional<std::string> waits_for_cluster(engine::Context& context) {
  const plan::Value* unknown = cluster_of(context).first_unknown();
  if (!unknown) return std::nullopt;
  return unknown->stage;
}

namespace {

/// Whose answer is waited for, in words: an exec plugin may be the one that is silent.
std::string who_answers(const kube::Endpoint& endpoint) {
  if (!endpoint.exec) return endpoint.server;
  return "the exec plugin \"" + endpoint.exec->command + "\", or then from " + endpoint.server;
}

}  // namespace

Task<std::shared_ptr<kube::Client>> connect(engine::Context& context) {
  if (const plan::Value* unknown = cluster_of(context).first_unknown())
    throw plan::NotKnownYet{unknown->stage, unknown->text};
  auto connection = context.shared().get_or_make<Connection>(
      kName, [&] { return std::make_shared<Connection>(context.world().executor); });
  if (!connection->good_for(context)) context.reaching = who_answers(endpoint_of(context));
  std::function<Task<void>()> work = [&] { return check(context, connection); };
  while (!connection->good_for(context)) co_await connection->checks.run(work);
  context.reaching.clear();
  co_return connection->client;
}

Task<void> forget_cluster(engine::Context& context) {
  context.shared().forget(kName);
  co_await context.forget_cluster();
}

}  // namespace blackstart::stages

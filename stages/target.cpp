#include "stages/target.h"

#include <exception>

#include "orchestrator/kube/kubeconfig.h"
#include "orchestrator/world/async.h"

namespace blackstart::stages {
namespace {

constexpr const char* kName = "cluster";  // of the shared connection and of the binding

/// One look at the cluster's identity, waited for by everybody who connects meanwhile.
struct Check {
  explicit Check(Executor executor) : over(std::move(executor)) {}
  Event over;
  std::exception_ptr failure;
};

/// The run's one connection. Stages that connect at once share the first check of the identity.
struct Connection {
  std::shared_ptr<kube::Client> client;
  std::shared_ptr<Check> running;  // null when nobody checks
  bool verified = false;
};

/// Ends a check on every way out, so that no one waits for a check whose task was cancelled.
class CheckEnd {
 public:
  explicit CheckEnd(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~CheckEnd() {
    auto check = std::move(connection_->running);
    connection_->running = nullptr;
    check->over.set();
  }
  CheckEnd(const CheckEnd&) = delete;
  CheckEnd& operator=(const CheckEnd&) = delete;

 private:
  std::shared_ptr<Connection> connection_;
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
  const plan::Value* kubeconfig = cluster.find("kubeconfig");
  if (!kubeconfig || kubeconfig->is_null()) {
    throw Error(ErrorClass::kUsage, "the plan's `cluster:` names no kubeconfig").at(cluster.place);
  }
  const plan::Value* name = cluster.find("context");
  std::string chosen = name && !name->is_null() ? name->as_text() : "";
  return kube::load_kubeconfig(context.world().files, {kubeconfig->as_text()}, chosen);
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
Task<void> verify(engine::Context& context, kube::Client& client) {
  std::string found = (co_await client.identity()).to_string();
  std::optional<std::string> recorded = context.binding(kName);
  if (recorded && *recorded != found)
    throw another_cluster(context, client.endpoint(), *recorded, found);
  if (!recorded) co_await context.bind(kName, found);
}

Task<void> check(engine::Context& context, std::shared_ptr<Connection> connection) {
  auto own = std::make_shared<Check>(context.world().executor);
  connection->running = own;
  CheckEnd end(connection);
  try {
    if (!connection->client)
      connection->client = std::make_shared<kube::Client>(context.world(), endpoint_of(context));
    co_await verify(context, *connection->client);
    connection->verified = context.shared().target_reached = true;
  } catch (...) {
    own->failure = std::current_exception();
    connection->client = nullptr;  // the kubeconfig may be another one at the next try
    throw;
  }
}

}  // namespace

std::optional<std::string> waits_for_cluster(engine::Context& context) {
  const plan::Value* unknown = cluster_of(context).first_unknown();
  if (!unknown) return std::nullopt;
  return unknown->stage;
}

Task<std::shared_ptr<kube::Client>> connect(engine::Context& context) {
  if (const plan::Value* unknown = cluster_of(context).first_unknown())
    throw plan::NotKnownYet{unknown->stage, unknown->text};
  auto connection = context.shared().get_or_make<Connection>(
      kName, [] { return std::make_shared<Connection>(); });
  if (!connection->verified) context.reaching = endpoint_of(context).server;
  while (!connection->verified) {
    auto running = connection->running;
    if (!running) {
      co_await check(context, connection);
      break;
    }
    co_await running->over.wait();
    // What failed for one fails for all; only a check that was called off is taken up again.
    if (running->failure && !is_cancellation(running->failure))
      std::rethrow_exception(running->failure);
  }
  context.reaching.clear();
  co_return connection->client;
}

Task<void> forget_cluster(engine::Context& context) {
  context.shared().forget(kName);
  co_await context.unbind(kName);
}

}  // namespace blackstart::stages

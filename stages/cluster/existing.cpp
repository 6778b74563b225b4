// cluster.existing: a cluster that is there already. Looks at it and publishes what it is; never
// writes.
#include "orchestrator/engine/stage.h"
#include "orchestrator/kube/client.h"
#include "stages/target.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using engine::Observation;
using plan::OptionType;

class ExistingStage final : public engine::Stage {
 public:
  Task<Observation> observe(engine::Context& context) override {
    if (context.has("wait")) context.patience = context.option("wait").as_duration();
    std::string kubeconfig = context.text("kubeconfig");
    kube::Endpoint endpoint = load_endpoint(context, kubeconfig, context.text("context"));
    std::string where =
        endpoint.server + " (context " + endpoint.context + " of " + kubeconfig + ")";
    kube::Client client(context.world(), endpoint);
    context.reaching = endpoint.server;
    std::string version, reason;
    co_await ask_version(context, client, version, reason);
    if (!reason.empty()) co_return Observation::differs(where + " is not ready: " + reason);
    context.reaching.clear();
    context.shared().target_reached = true;
    if (!co_await client.is_ready(&reason))
      co_return Observation::differs(where + " is not ready: " + reason);
    kube::Identity identity = co_await client.identity();
    // Later stages may never connect, and still write to it: tools that are handed the kubeconfig.
    if (is_the_target(context, endpoint)) co_await verify_identity(context, endpoint, identity);
    Observation seen = Observation::present(where + " answers");
    seen.outputs["kubeconfig"] = kubeconfig;
    seen.outputs["context"] = endpoint.context;
    seen.outputs["endpoint"] = endpoint.server;
    seen.outputs["version"] = std::move(version);
    seen.outputs["uid"] = identity.uid;
    co_return seen;
  }

  Decision decide(const Observation& seen) const override {
    if (seen.is_present()) return Decision::satisfied(seen.reason);
    return Decision::wait(seen.reason);
  }

  Task<void> act(engine::Context&, const engine::Action&) override { co_return; }

  Decision decide_removal(const Observation&) const override {
    return Decision::satisfied("left in place: it was there before");
  }

 private:
  /// The first question: throws how the cluster cannot be reached, if it cannot. What stands before
  /// an API server that is away (a load balancer) may answer in its stead: that is the `reason`.
  static Task<void> ask_version(engine::Context& context, kube::Client& client,
                                std::string& version, std::string& reason) {
    try {
      version = co_await client.server_version();
    } catch (Error& error) {
      if (error.error_class() == ErrorClass::kTransient) {
        reason = error.full_text();
        co_return;
      }
      error.at(context.stage().place);
      error.because("it is context " + client.endpoint().context + " of " +
                    client.endpoint().kubeconfig + ", as the plan says");
      throw;
    }
  }
};

}  // namespace

extern const engine::StageType kClusterExisting;
const engine::StageType kClusterExisting{
    .schema =
        {
            .name = "cluster.existing",
            .summary = "A cluster that is there already; looked at, never written to.",
            .options =
                {
                    {.name = "kubeconfig",
                     .type = OptionType::kPath,
                     .required = true,
                     .summary = "kubeconfig that leads to it",
                     .may_be_missing = true},
                    {.name = "context", .required = true, .summary = "context of the kubeconfig"},
                    {.name = "wait",
                     .type = OptionType::kDuration,
                     .summary = "how long it may take to answer; default: the stage's `timeout` "
                                "when the plan gives one, else 1m"},
                },
            .outputs =
                {
                    {.name = "kubeconfig", .summary = "the kubeconfig"},
                    {.name = "context", .summary = "its context"},
                    {.name = "endpoint", .summary = "URL of the API server"},
                    {.name = "version", .summary = "version of the API server"},
                    {.name = "uid",
                     .summary = "UID of the namespace kube-system: the cluster's identity"},
                },
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<ExistingStage>(); },
};

}  // namespace blackstart::stages

// kwok.cluster: a real etcd, API server, controller manager and scheduler as processes of this
// machine; nodes and pods are simulated. What a rehearsal runs in, with no Docker and no cloud.
#include "orchestrator/engine/retry.h"
#include "orchestrator/engine/stage.h"
#include "orchestrator/kube/kubeconfig.h"
#include "orchestrator/kube/readiness.h"
#include "stages/cluster/kwok_home.h"
#include "stages/cluster/kwokctl.h"
#include "stages/target.h"

namespace blackstart::stages {
namespace {

using engine::Action;
using engine::Decision;
using engine::Observation;
using plan::OptionType;

/// Simulated nodes that kwokctl made; nodes that somebody else adds are left alone.
constexpr const char* kScaled = "kwok.x-k8s.io/kwokctl-scale=node";
/// Far more than a rehearsal needs: a mistyped number must not fill the machine.
constexpr int64_t kNodesMost = 1000;

enum class Life {
  kNone,      // nothing there
  kHalfMade,  // begun, never ready
  kStopped,   // was ready, some component does not run: its data is kept
  kStarting,  // all run, the API server is not ready
  kRunning,
};

struct Nodes {
  int64_t all = 0;
  int64_t ready = 0;
};

std::string default_name(engine::Context& context) {
  std::string plan = context.plan().name;
  return plan + "-" + sha256_hex(context.state_folder()).substr(0, 6);
}

class KwokStage final : public engine::Stage {
 public:
  Task<Observation> observe(engine::Context& context) override {
    wanted_nodes_ = context.number("nodes");
    if (wanted_nodes_ < 0 || wanted_nodes_ > kNodesMost)
      throw Error(ErrorClass::kUsage, "nodes is " + std::to_string(wanted_nodes_))
          .at(context.option("nodes").place)
          .hint("simulate 0 to " + std::to_string(kNodesMost) + " nodes");
    name_ = context.text_or("name", default_name(context));
    KwokHome home(context.world(), context.folder(), name_);
    co_await look(context, home);
    if (life_ == Life::kNone || life_ == Life::kHalfMade) co_return Observation::absent(reason_);
    if (life_ != Life::kRunning) co_return Observation::differs(reason_);
    Observation seen = nodes_seen();
    // Other nodes or not, it answers: what lives in it can be looked at.
    seen.outputs["kubeconfig"] = home.kubeconfig();
    seen.outputs["context"] = endpoint_.context;
    seen.outputs["endpoint"] = endpoint_.server;
    seen.outputs["name"] = name_;
    seen.outputs["version"] = version_;
    co_return seen;
  }

  Decision decide(const Observation& seen) const override {
    if (!other_.empty()) return another_name();
    std::string nodes = count_of(static_cast<size_t>(wanted_nodes_), "simulated node");
    switch (life_) {
      case Life::kNone:
      case Life::kHalfMade: {
        Action create{"create", "create cluster " + name_ + " with " + nodes, {}, false, false};
        if (life_ == Life::kHalfMade)
          create.details.push_back(
              "- what an interrupted attempt left (it was never ready: no data is lost)");
        create.details.push_back(
            "+ etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok "
            "as processes on 127.0.0.1");
        return Decision::act(std::move(create), seen.reason);
      }
      case Life::kStopped:
        return Decision::act(
            Action{"start", "start cluster " + name_ + " with the data it has", {}, false, false},
            seen.reason);
      case Life::kStarting: return Decision::wait(seen.reason);
      case Life::kRunning: break;
    }
    if (nodes_.all != wanted_nodes_) {
      bool fewer = nodes_.all > wanted_nodes_;
      return Decision::act(
          Action{"scale", "scale cluster " + name_ + " to " + nodes, {}, false, fewer},
          seen.reason);
    }
    return seen.is_present() ? Decision::satisfied(seen.reason) : Decision::wait(seen.reason);
  }

  Task<void> act(engine::Context& context, const Action& action) override {
    KwokHome home(context.world(), context.folder(), name_);
    if (action.id == "create") co_await create(context, home);
    if (action.id == "start") co_await start(context, home);
    if (action.id == "scale") co_await scale(context, home);
    if (action.id == "delete") co_await remove(context, home);
  }

  Task<void> changed(engine::Context& context) override {
    // An API server that is not up yet offers nothing to watch.
    co_await a_moment(context.world().clock);
  }

  Task<void> close(engine::Context& context) override {
    if (context.read_only || name_.empty()) co_return;
    // A folder that holds no cluster is not left behind; looking alone has made it.
    KwokHome home(context.world(), context.folder(), name_);
    try {
      if (!home.begun() && home.other_cluster().empty()) home.remove();
    } catch (const Error&) {
      // An empty folder that stays harms nobody.
    }
  }

  Decision decide_removal(const Observation&) const override {
    if (!other_.empty()) return another_name();
    if (life_ == Life::kNone) return Decision::satisfied("there is no cluster " + name_);
    return Decision::act(Action{"delete",
                                "delete cluster " + name_ + " and all that is in it",
                                {"- cluster " + name_},
                                false,
                                true});
  }

 private:
  /// Blocks removal as well: "there is no cluster" would be taken as leave to delete the folder in
  /// which the other one runs.
  Decision another_name() const {
    return Decision::blocked(
        "the state folder holds cluster " + other_ + ", the plan names " + name_,
        "destroy it under its old name first, or give this one a --state of its own");
  }

  Observation nodes_seen() const {
    if (nodes_.all == wanted_nodes_ && nodes_.ready == nodes_.all)
      return Observation::present("cluster " + name_ + " is ready, " + version_ + ", " +
                                  count_of(static_cast<size_t>(nodes_.all), "node"));
    return Observation::differs("cluster " + name_ + " has " + std::to_string(nodes_.ready) +
                                " of " + count_of(static_cast<size_t>(wanted_nodes_), "node") +
                                " ready");
  }

  Task<void> look(engine::Context& context, const KwokHome& home) {
    life_ = Life::kNone;
    reason_ = "there is no cluster " + name_;
    other_ = home.other_cluster();
    if (!home.begun()) co_return;
    life_ = Life::kHalfMade;
    reason_ = "cluster " + name_ +
              " is half-made: an earlier attempt was interrupted before it was ready";
    if (!home.finished()) co_return;
    life_ = Life::kStopped;
    if (auto stopped = home.stopped(); !stopped.empty()) {
      reason_ = "cluster " + name_ + " does not run: " + join(stopped, ", ") + " stopped";
      if (auto line = home.last_words(stopped.front()); !line.empty())
        reason_ += " (" + stopped.front() + ": " + line + ")";
      co_return;
    }
    try {
      endpoint_ = load_endpoint(context, home.kubeconfig(), "");
    } catch (const Error& error) {
      reason_ = "the kubeconfig of cluster " + name_ + " cannot be used: " + error.summary();
      co_return;
    }
    co_await ask(context);
  }

  /// The API server at `endpoint_`.
  Task<void> ask(engine::Context& context) {
    life_ = Life::kStarting;
    kube::Client client(context.world(), endpoint_);
    std::string why;
    bool ready = co_await client.is_ready(&why);
    reason_ = "the API server of cluster " + name_ + " is not ready: " + why;
    if (!ready) co_return;
    context.shared().target_reached = true;
    life_ = Life::kRunning;
    reason_.clear();
    version_ = co_await client.server_version();
    nodes_ = {};
    auto list = co_await client.list("v1", "Node", "", kScaled);
    if (!list) co_return;
    for (const auto& node : list->items) {
      ++nodes_.all;
      nodes_.ready += kube::readiness_of(node).ready();
    }
  }

  Task<void> create(engine::Context& context, KwokHome& home) {
    if (home.finished())
      throw Error(ErrorClass::kBug, "cluster " + name_ + " has data and would have been made anew");
    if (home.begun()) co_await take_away(context, home);
    co_await forget_cluster(context);
    context.progress("kwokctl create cluster " + name_);
    Kwokctl kwokctl(context, home);
    co_await kwokctl.create();
    home.write_kubeconfig();
    endpoint_ = load_endpoint(context, home.kubeconfig(), "");
    co_await scale(context, home);
    co_await until_nodes_are_ready(context, home);
    home.mark_finished();
  }

  /// A cluster that is finished keeps its ports, so it is not before all of them are known to be
  /// good: kwok, which makes nodes ready, comes to its own port once the API server serves it.
  Task<void> until_nodes_are_ready(engine::Context& context, const KwokHome& home) {
    context.progress("waiting for the nodes of cluster " + name_);
    // What has ended and is not lost is started by the next action.
    while (home.stopped().empty()) {
      bool ready = co_await has_ready_nodes(context);
      if (ready) co_return;
      co_await a_moment(context.world().clock);
    }
    if (auto lost = home.lost()) throw did_not_stay_up(home, std::vector(1, *lost));
  }

  Task<bool> has_ready_nodes(engine::Context& context) {
    try {
      co_await ask(context);
    } catch (const Error& error) {
      if (engine::retry_kind(error.error_class()) == engine::RetryKind::kNever) throw;
      co_return false;
    }
    bool all_ready = life_ == Life::kRunning && nodes_.ready >= wanted_nodes_;
    co_return all_ready;
  }

  Task<void> start(engine::Context& context, KwokHome& home) {
    co_await home.tidy();
    context.progress("kwokctl start cluster " + name_);
    Kwokctl kwokctl(context, home);
    co_await kwokctl.start();
    home.write_kubeconfig();
    // kwokctl is content when a component was started; that it ended again is for us to see.
    if (auto stopped = home.stopped(); !stopped.empty()) throw did_not_stay_up(home, stopped);
  }

  Task<void> scale(engine::Context& context, KwokHome& home) {
    context.progress("scaling cluster " + name_);
    Kwokctl kwokctl(context, home);
    co_await kwokctl.scale(wanted_nodes_);
  }

  Task<void> remove(engine::Context& context, KwokHome& home) {
    co_await take_away(context, home);
    co_await forget_cluster(context);
  }

  /// Not by kwokctl: it cannot read what was killed half-way, and waits ten seconds for components
  /// to store what is deleted in the next moment.
  Task<void> take_away(engine::Context& context, KwokHome& home) {
    context.progress("ending the processes of cluster " + name_);
    co_await home.kill_all();
    home.remove();
  }

  std::string name_;
  int64_t wanted_nodes_ = 0;
  Life life_ = Life::kNone;
  std::string reason_;
  std::string other_;  // a cluster of another name that was made by this stage
  Nodes nodes_;
  kube::Endpoint endpoint_;
  std::string version_;
};

}  // namespace

extern const engine::StageType kKwokCluster;
const engine::StageType kKwokCluster{
    .schema =
        {
            .name = "kwok.cluster",
            .summary =
                "A real control plane as processes of this machine, with simulated nodes and pods.",
            .options =
                {
                    {.name = "name",
                     .summary = "its name; default: of the plan and the state folder"},
                    {.name = "nodes",
                     .type = OptionType::kInteger,
                     .default_value = "2",
                     .summary = "how many nodes to simulate"},
                },
            .outputs =
                {
                    {.name = "kubeconfig", .summary = "kubeconfig of its administrator"},
                    {.name = "context", .summary = "context in the kubeconfig"},
                    {.name = "endpoint", .summary = "URL of the API server"},
                    {.name = "name", .summary = "name of the cluster"},
                    {.name = "version", .summary = "version of the API server"},
                },
        },
    .work = engine::Work::kProcess,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<KwokStage>(); },
    .tools = {"kwokctl", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler",
              "kwok", "kubectl"},
};

}  // namespace blackstart::stages

#include "tests/unit/stages/bench.h"

#include <algorithm>
#include <stdexcept>

namespace blackstart::stages {
namespace {

constexpr const char* kKubeconfig = R"(apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://api"}}]
users: [{name: u, user: {token: t}}]
)";

class Recorder final : public events::Sink {
 public:
  explicit Recorder(std::shared_ptr<std::string> text) : text_(std::move(text)) {}
  void on_event(const events::Event& event) override {
    *text_ += events::to_json_line(event) + "\n";
  }

 private:
  std::shared_ptr<std::string> text_;
};

std::string indented(const std::string& text) {
  std::string result;
  for (const auto& line : split(text, '\n')) result += "        " + line + "\n";
  return result;
}

std::string plan_of(const std::string& uses, const std::string& with) {
  return R"(apiVersion: blackstart.dev/v1alpha1
kind: Plan
metadata: {name: lab}
spec:
  cluster: {kubeconfig: "${{ stages.cluster.outputs.kubeconfig }}"}
  vars: {token: {type: string, sensitive: true, default: token-of-the-plan}}
  stages:
    - name: cluster
      uses: kwok.cluster
    - name: tested
      uses: )" +
         uses + "\n      with:\n" + indented(with);
}

std::string first_error(const Diagnostics& diagnostics) {
  for (const Diagnostic& finding : diagnostics.sorted())
    if (finding.severity == Severity::kError) return finding.message;
  return "no error was found";
}

}  // namespace

Task<Exit> BenchProcesses::run(Command command) {
  std::string name = command.program.substr(command.program.rfind('/') + 1);
  for (const auto& argument : command.args) name += " " + argument;
  ran.push_back(name);
  co_return handler ? handler(command) : Exit{};
}

Task<Daemon> BenchProcesses::start_daemon(Command, std::string) {
  throw std::logic_error("no stage under test starts daemons");
}

Task<void> BenchProcesses::stop(Daemon daemon, Duration) {
  stopped.push_back(daemon.pid);
  if (on_stop) on_stop(daemon.pid);
  co_return;
}

std::optional<std::string> BenchEnvironment::get(const std::string& name) const {
  auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : std::optional(found->second);
}

std::optional<journal::StageRecord> BenchJournal::stage(const std::string& name) const {
  auto found = records.find(name);
  return found == records.end() ? std::nullopt : std::optional(found->second);
}

Bench::Bench(const std::string& uses, const std::string& with,
             std::map<std::string, std::string> given, std::string state_folder)
    : api(scripted_.world().executor),
      http(scripted_.http),
      world_{scripted_.world().clock,
             scripted_.world().random,
             processes,
             http,
             files,
             environment,
             scripted_.world().blocking,
             scripted_.world().executor},
      bus_(world_.clock) {
  scripted_.serve_discovery({{"v1", "Node", "nodes", false},
                             {"example.com/v1", "Widget", "widgets", true},
                             {"argoproj.io/v1alpha1", "Application", "applications", true},
                             {"argoproj.io/v1alpha1", "ApplicationSet", "applicationsets", true},
                             {"argoproj.io/v1alpha1", "AppProject", "appprojects", true},
                             {"external-secrets.io/v1", "ExternalSecret", "externalsecrets", true},
                             {"example.com/v1beta1", "Widget", "widgets", true},
                             {"example.com/v1", "Widget", "widgets", true}});
  http.handler = [this, others = http.handler](HttpRequest request) {
    return ApiDouble::serves(request.url) ? api.send(std::move(request))
                                          : others(std::move(request));
  };
  api.put("/api/v1/namespaces/kube-system",
          {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"uid", "the-cluster"}}}});
  files.content = std::move(given);
  outputs["cluster"]["kubeconfig"] = "/p/kubeconfig";
  files.content["/p/kubeconfig"] = kKubeconfig;
  files.content["/p/plan.yaml"] = plan_of(uses, with);
  bus_.add_sink(std::make_unique<Recorder>(published_));

  Diagnostics diagnostics;
  plan::Request request;
  request.file = "/p/plan.yaml";
  plan_ = plan::load(files, environment, request, catalog(), diagnostics);
  if (!plan_) throw std::logic_error("the plan: " + first_error(diagnostics));
  const plan::Stage& tested = plan_->stages.back();
  tools_ = std::make_unique<engine::Tools>(world_, plan_->tools);
  context_ = std::make_unique<engine::Context>(world_, bus_, journal, shared_, *tools_, *plan_,
                                               tested, std::move(state_folder));
  stage_ = catalog().find(uses)->make();
}

Bench::~Bench() {
  Task<void> closing = stage_->close(*context_);
  if (closing.valid()) scripted_.run(std::move(closing));
}

void Bench::prepare() {
  const plan::Stage& tested = plan_->stages.back();
  plan::Value options = plan::resolve_options(tested, *plan_, outputs);
  std::string digest = plan::input_digest(options, *tested.schema, files);
  plan::Value cluster = plan::resolve_cluster(*plan_, outputs).value();
  context_->set_inputs(std::move(options), std::move(cluster), digest, outputs);
}

std::string Bench::digest() {
  prepare();
  return context_->digest();
}

engine::Observation Bench::observe() {
  prepare();
  return scripted_.result(stage_->observe(*context_));
}

engine::Decision Bench::decide() {
  auto seen = observe();
  return stage_->decide(seen);
}

engine::Decision Bench::decide_removal() {
  auto seen = observe();
  return stage_->decide_removal(seen);
}

void Bench::act(const std::string& action) {
  engine::Action chosen;
  chosen.id = action;
  scripted_.run(stage_->act(*context_, chosen));
}

void Bench::changed() { scripted_.run(stage_->changed(*context_)); }

int Bench::converge() {
  int actions = 0;
  for (int round = 0; round < 10; ++round) {
    engine::Decision decision = decide();
    if (decision.kind == engine::Decision::Kind::kSatisfied) return actions;
    if (decision.kind != engine::Decision::Kind::kAct) throw std::logic_error(decision.reason);
    for (const auto& action : decision.actions) {
      act(action.id);
      ++actions;
    }
  }
  throw std::logic_error("it does not settle");
}

std::string Bench::published() const { return *published_; }

}  // namespace blackstart::stages

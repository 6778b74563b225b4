// argocd.host: the real Argo CD as host processes, for clusters whose pods are simulated.
//
// Each process is started as soon as what it needs is there, outlives this program, and is found
// again by the next run; one that was killed is started again.
#include <boost/json/object.hpp>

#include "orchestrator/base/hex.h"
#include "orchestrator/base/text.h"
#include "orchestrator/world/async.h"
#include "stages/argocd/host_conditions.h"
#include "stages/argocd/host_health.h"
#include "stages/argocd/host_kubeconfig.h"
#include "stages/argocd/host_state.h"
#include "stages/argocd/host_status.h"
#include "stages/target.h"

namespace blackstart::stages {
namespace {

using argocd::Component;
using argocd::ComponentStatus;
using engine::Action;
using engine::Context;
using engine::Decision;
using engine::Observation;
using plan::OptionType;

constexpr Duration kHealthPause = std::chrono::milliseconds(50);
constexpr Duration kStopGrace = std::chrono::seconds(5);
constexpr size_t kLogLimit = 64u << 20;
constexpr size_t kLastWords = 5;
constexpr size_t kPasswordBytes = 24;

class HostStage final : public engine::Stage {
 public:
  Task<Observation> observe(Context& context) override;
  Decision decide(const Observation& seen) const override {
    return argocd::decide_host(status_, seen);
  }
  Task<void> act(Context& context, const Action& action) override;
  Task<void> changed(Context& context) override;
  Decision decide_removal(const Observation&) const override {
    return argocd::decide_host_removal(status_);
  }
  Task<void> close(Context&) override { co_await conditions_.stop(); }

 private:
  argocd::HostSettings settings(Context& context, const argocd::HostState& state) const;
  argocd::HostKubeconfig kubeconfig(Context& context) const;
  std::vector<Component> wanted(Context& context, const argocd::HostState& state) const;
  void look_at_processes(Context& context);
  Task<void> look_at_health(Context& context);
  void publish(Context& context, Observation& seen) const;
  Task<void> start(Context& context, std::string name);
  Task<void> free_ports(Context& context, argocd::HostState& state,
                        const Component& component) const;
  Command command_for(Context& context, const argocd::HostState& state,
                      const Component& component) const;
  Task<void> stop_all(Context& context);

  argocd::HostStatus status_;
  argocd::HostConditions conditions_;
  std::map<std::string, int> starts_;  // of components, in this run
};

std::string log_file(Context& context, const Component& component) {
  return context.folder() + "/log/" + component.name + ".log";
}

std::vector<std::string> last_words(Context& context, const Component& component) {
  std::string path = log_file(context, component);
  Files& files = context.world().files;
  if (files.kind(path) != FileKind::kFile) return {};
  std::vector<std::string> lines;
  try {
    for (const std::string& line : split(files.read(path, kLogLimit), '\n')) {
      if (!trim(line).empty()) lines.push_back(line);
    }
  } catch (const Error&) {
    return {};  // too long or unreadable: no reason to fail
  }
  if (lines.size() > kLastWords) lines.erase(lines.begin(), lines.end() - kLastWords);
  return lines;
}

argocd::HostSettings HostStage::settings(Context& context, const argocd::HostState& state) const {
  argocd::HostSettings settings;
  settings.folder = context.folder();
  settings.name_space = context.text("namespace");
  settings.log_level = context.text("logLevel");
  settings.ports = state.ports;
  settings.redis_password = state.redis_password;
  settings.kubeconfig_digest = kubeconfig(context).digest;
  return settings;
}

argocd::HostKubeconfig HostStage::kubeconfig(Context& context) const {
  const Files& files = context.world().files;
  if (waits_for_cluster(context)) return {};
  std::string path = context.cluster().find("kubeconfig")->as_text();
  if (files.kind(path) != FileKind::kFile) return {};
  // The context that was verified: the file may have got another current one meanwhile.
  if (auto verified = conditions_.verified_context())
    return argocd::make_host_kubeconfig(files, path, *verified);
  const plan::Value* name = context.cluster().given("context");
  return argocd::make_host_kubeconfig(files, path, name == nullptr ? "" : name->as_text());
}

std::vector<Component> HostStage::wanted(Context& context, const argocd::HostState& state) const {
  std::vector<std::string> chosen = context.texts("components");
  std::vector<Component> all = argocd::components(settings(context, state));
  if (chosen.empty()) return all;
  std::erase_if(all, [&](const Component& component) {
    return std::find(chosen.begin(), chosen.end(), component.name) == chosen.end();
  });
  return all;
}

void HostStage::look_at_processes(Context& context) {
  auto state = argocd::HostState::load(context.world(), context.folder());
  if (!state.redis_password.empty()) context.redact(state.redis_password);
  status_ = {};
  for (Component& component : wanted(context, state)) {
    ComponentStatus one;
    auto started = state.started.find(component.name);
    one.known = started != state.started.end();
    one.running = state.running(component.name).has_value();
    one.outdated = one.running && started->second.digest != component.digest();
    one.serving = one.running && component.health_port.empty();
    one.starts = starts_[component.name];
    if (one.known && !one.running) one.last_words = last_words(context, component);
    one.component = std::move(component);
    status_.components.push_back(std::move(one));
  }
  status_.leftovers = !state.started.empty() || !state.marked().empty();
}

Task<void> HostStage::look_at_health(Context& context) {
  auto state = argocd::HostState::load(context.world(), context.folder());
  std::vector<std::function<Task<void>()>> questions;
  for (ComponentStatus& one : status_.components) {
    if (!one.running || one.component.health_port.empty()) continue;
    int port = state.ports[one.component.health_port];
    questions.push_back([&world = context.world(), port, &one] {
      return argocd::ask_health(world, port, one.serving);
    });
  }
  size_t at_once = questions.size();
  co_await run_all(context.world().executor, std::move(questions), at_once);
}

Task<Observation> HostStage::observe(Context& context) {
  look_at_processes(context);
  co_await look_at_health(context);
  Observation seen;
  bool complete =
      std::all_of(status_.components.begin(), status_.components.end(),
                  [](const ComponentStatus& one) { return one.running && !one.outdated; });
  if (!complete) {
    if (auto stage = waits_for_cluster(context)) co_return Observation::deferred(*stage);
    co_await conditions_.judge(context, status_);
  }
  seen = argocd::describe_host(status_);
  publish(context, seen);
  co_return seen;
}

void HostStage::publish(Context& context, Observation& seen) const {
  auto state = argocd::HostState::load(context.world(), context.folder());
  boost::json::object ports;
  for (const auto& [name, port] : state.ports) ports[name] = port;
  if (state.ports.contains("server"))
    seen.outputs["server"] = "http://127.0.0.1:" + std::to_string(state.ports["server"]);
  seen.outputs["ports"] = std::move(ports);
  seen.outputs["logs"] = context.folder() + "/log";
}

/// Another program may have taken a port while the component was down.
Task<void> HostStage::free_ports(Context& context, argocd::HostState& state,
                                 const Component& component) const {
  for (const std::string& name : argocd::port_names()) {
    if (!state.ports.contains(name)) state.ports[name] = context.world().environment.free_port();
  }
  if (!state.started.contains(component.name)) co_return;
  for (const std::string& name : component.ports) {
    if (co_await argocd::is_port_taken(context.world(), state.ports[name]))
      state.ports[name] = context.world().environment.free_port();
  }
}

Command HostStage::command_for(Context& context, const argocd::HostState& state,
                               const Component& component) const {
  engine::Tools& tools = context.tools();
  Command command =
      tools.command(tools.find(component.tool), component.arguments, context.folder() + "/home");
  command.argv0 = component.argv0;
  command.working_directory = context.folder() + "/home";
  for (const auto& [name, value] : conditions_.environment(component.name))
    command.environment[name] = value;
  for (const auto& [name, value] : argocd::host_environment(settings(context, state)))
    command.environment[name] = value;
  auto [name, value] = state.mark(component.name);
  command.environment[name] = value;
  return command;
}

Task<void> HostStage::start(Context& context, std::string name) {
  World& world = context.world();
  auto state = argocd::HostState::load(world, context.folder());
  if (auto daemon = state.running(name)) co_await world.processes.stop(*daemon, kStopGrace);
  auto find = [&] {
    auto all = wanted(context, state);
    return *std::find_if(all.begin(), all.end(),
                         [&](const Component& one) { return one.name == name; });
  };
  co_await free_ports(context, state, find());
  if (state.redis_password.empty()) state.redis_password = hex(world.random.bytes(kPasswordBytes));
  context.redact(state.redis_password);
  for (const char* folder : {"/home", "/log", "/tmp", "/tls", "/ssh", "/plugin"})
    world.files.make_folders(context.folder() + folder);
  world.files.write(context.folder() + "/redis.conf",
                    argocd::redis_configuration(settings(context, state)));
  world.files.write(argocd::kubeconfig_file(context.folder()), kubeconfig(context).text);
  Component component = find();
  ++starts_[name];
  state.started[name] = {std::nullopt, component.digest()};
  state.save();
  Command command = command_for(context, state, component);
  Daemon daemon =
      co_await world.processes.start_daemon(std::move(command), log_file(context, component));
  state.started[name].daemon = daemon;
  state.save();
}

Task<void> HostStage::stop_all(Context& context) {
  World& world = context.world();
  auto state = argocd::HostState::load(world, context.folder());
  std::vector<Daemon> daemons = state.marked();
  for (const auto& [name, started] : state.started) {
    if (started.daemon && world.processes.alive(*started.daemon))
      daemons.push_back(*started.daemon);
  }
  std::vector<std::function<Task<void>()>> stops;
  for (const Daemon& daemon : daemons)
    stops.push_back([&world, daemon] { return world.processes.stop(daemon, kStopGrace); });
  size_t at_once = stops.size();
  co_await run_all(world.executor, std::move(stops), at_once);
  std::string scratch = context.folder() + "/tmp";
  if (world.files.kind(scratch) == FileKind::kFolder) {
    // The repo-server takes its clones' permissions away, even from itself.
    Command open =
        context.tools().command(context.tools().find("chmod"), {"-R", "u+rwX", scratch}, scratch);
    co_await world.processes.run(std::move(open));
  }
  world.files.remove_all(argocd::askpass_socket(context.folder()));
  world.files.remove_all(context.folder());
}

Task<void> HostStage::act(Context& context, const Action& action) {
  context.progress(action.summary);
  constexpr std::string_view kStart = "start-";
  if (action.id.starts_with(kStart))
    co_return co_await start(context, action.id.substr(kStart.size()));
  co_await stop_all(context);
}

/// Health can only be asked for; conditions of starts are watched.
Task<void> HostStage::changed(Context& context) {
  World& world = context.world();
  auto serving = [this] {
    std::vector<bool> flags;
    for (const ComponentStatus& one : status_.components) flags.push_back(one.serving);
    return flags;
  };
  bool starting =
      std::any_of(status_.components.begin(), status_.components.end(),
                  [](const ComponentStatus& one) { return one.running && !one.serving; });
  if (!starting && conditions_.watching()) co_return co_await conditions_.changed(world.executor);
  std::vector<bool> before = serving();
  Instant again = world.clock.now() + std::chrono::seconds(1);
  while (serving() == before && world.clock.now() < again) {
    if (!conditions_.watching()) {
      co_await world.clock.sleep_until(world.clock.now() + kHealthPause);
    } else {
      bool moved = true;
      try {
        co_await within(world.clock, world.clock.now() + kHealthPause, "",
                        conditions_.changed(world.executor));
      } catch (const Error& error) {
        if (error.error_class() != ErrorClass::kDeadline) throw;
        moved = false;
      }
      if (moved) co_return;
    }
    co_await look_at_health(context);
  }
}

}  // namespace

extern const engine::StageType kArgocdHost;
const engine::StageType kArgocdHost{
    .schema =
        {
            .name = "argocd.host",
            .summary = "The real Argo CD as processes on this host, for a cluster that simulates "
                       "its pods.",
            .options =
                {
                    {.name = "namespace",
                     .default_value = "argocd",
                     .summary = "where Argo CD is installed"},
                    {.name = "components",
                     .type = OptionType::kList,
                     .summary = "which of its programs; default: all",
                     .fields = {{.name = "component",
                                 .type = OptionType::kEnum,
                                 .summary = "a program",
                                 .choices = argocd::component_names()}}},
                    {.name = "logLevel",
                     .type = OptionType::kEnum,
                     .default_value = "warn",
                     .summary = "how much they log",
                     .choices = {"debug", "info", "warn", "error"}},
                },
            .outputs = {{"server", "URL of argocd-server"},
                        {"ports", "ports on 127.0.0.1 by name"},
                        {"logs", "folder of the processes' logs"}},
            .uses_cluster = true,
        },
    .work = engine::Work::kProcess,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<HostStage>(); },
    .tools = {"redis-server", "argocd", "git"},
};

}  // namespace blackstart::stages

#include "stages/cluster/kwokctl.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/world/async.h"

namespace blackstart::stages {
namespace {

constexpr Duration kMoment = std::chrono::milliseconds(200);

Task<void> run_child(Processes& processes, Command command, Exit& exit) {
  exit = co_await processes.run(std::move(command));
}

/// The files in which kwokctl notes what it started offer nothing to watch.
Task<void> until_one_is_lost(Clock& clock, const KwokHome& home, std::optional<std::string>& lost) {
  while (!(lost = home.lost())) co_await a_moment(clock);
}

/// A list of arguments. (g++ 12 takes no braced list inside a coroutine.)
template <class... Word>
std::vector<std::string> words(const Word&... word) {
  return {std::string(word)...};
}

}  // namespace

Task<void> a_moment(Clock& clock) { co_await clock.sleep_until(clock.now() + kMoment); }

Error did_not_stay_up(const KwokHome& home, const std::vector<std::string>& components) {
  Error error(ErrorClass::kTransient,
              join(components, ", ") + " of cluster " + home.name() + " did not stay up");
  for (const auto& component : components)
    if (auto line = home.last_line(component); !line.empty())
      error.because(component + " last logged: " + line);
  std::string hint = "the logs are in " + home.cluster_folder() + "/logs";
  if (home.finished())
    hint += "; the cluster keeps its ports: one that another program has taken must be freed";
  return error.hint(hint);
}

Task<void> Kwokctl::create() const {
  write_config();
  co_await run(words("--config", home_.config_file(), "create", "cluster", "--kubeconfig="));
}

Task<void> Kwokctl::start() const { co_await run(words("start", "cluster")); }

Task<void> Kwokctl::scale(int64_t nodes) const {
  co_await run(words("scale", "node", "--replicas", std::to_string(nodes)));
}

/// All on 127.0.0.1: several rehearsals run side by side, and etcd, which asks nobody for a
/// password, is not open to the network.
void Kwokctl::write_config() const {
  boost::json::object options{{"runtime", "binary"}, {"bindAddress", "127.0.0.1"}};
  for (const char* port : {"etcdPeerPort", "etcdPort", "kubeApiserverPort",
                           "kubeControllerManagerPort", "kubeSchedulerPort", "kwokControllerPort"})
    options[port] = context_.world().environment.free_port();
  const std::pair<const char*, const char*> binaries[] = {
      {"etcdBinary", "etcd"},
      {"kubeApiserverBinary", "kube-apiserver"},
      {"kubeControllerManagerBinary", "kube-controller-manager"},
      {"kubeSchedulerBinary", "kube-scheduler"},
      {"kwokControllerBinary", "kwok"},
      {"kubectlBinary", "kubectl"}};
  for (const auto& [option, tool] : binaries) options[option] = context_.tools().find(tool);
  boost::json::object config{{"apiVersion", "config.kwok.x-k8s.io/v1alpha1"},
                             {"kind", "KwokctlConfiguration"},
                             {"options", std::move(options)}};
  context_.folder();
  context_.world().files.write(home_.config_file(), boost::json::serialize(config));
}

Task<void> Kwokctl::run(std::vector<std::string> args) const {
  engine::Tools& tools = context_.tools();
  args.push_back("--name=" + home_.name());
  Command command = tools.command(tools.find("kwokctl"), std::move(args), context_.folder());
  command.environment["KWOK_WORKDIR"] = home_.work_folder();
  command.on_line = context_.output_lines();
  std::string shown = command.display();
  Exit exit;
  std::optional<std::string> lost;
  Race ended = co_await race(run_child(context_.world().processes, std::move(command), exit),
                             until_one_is_lost(context_.world().clock, home_, lost));
  if (ended.task_error && !ended.rival_won) std::rethrow_exception(ended.task_error);
  if (!lost) lost = home_.lost();
  if (lost) throw did_not_stay_up(home_, std::vector(1, *lost));
  if (exit.ok()) co_return;
  Error error(ErrorClass::kPermanent, "kwokctl ended with " + exit.describe());
  for (auto& line : exit.last_lines(10)) error.because(std::move(line));
  throw error.at(context_.stage().place).hint("the command was: " + shown);
}

}  // namespace blackstart::stages

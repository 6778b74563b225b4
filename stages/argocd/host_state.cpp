#include "stages/argocd/host_state.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/object.h"

namespace blackstart::stages::argocd {
namespace {

namespace json = boost::json;

constexpr const char* kStateFile = "/host.json";
constexpr const char* kMark = "BLACKSTART_COMPONENT";
constexpr size_t kStateLimit = 1 << 20;
constexpr size_t kEnvironmentLimit = 4 << 20;

std::optional<int> process_number(const std::string& name) {
  int pid = 0;
  auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), pid);
  bool whole = failed == std::errc() && end == name.data() + name.size();
  return whole ? std::optional(pid) : std::nullopt;
}

/// A file of /proc; empty when the process is gone or another user's.
std::string read_quietly(const Files& files, const std::string& path) {
  try {
    return files.read(path, kEnvironmentLimit);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

HostState HostState::load(World& world, const std::string& folder) {
  HostState state(world, folder);
  if (world.files.kind(folder + kStateFile) != FileKind::kFile) return state;
  json::error_code failed;
  json::value read = json::parse(world.files.read(folder + kStateFile, kStateLimit), failed);
  if (failed) return state;
  state.redis_password = kube::text_at(read, {"redisPassword"});
  if (const json::value* ports = kube::find(read, {"ports"});
      ports != nullptr && ports->is_object()) {
    for (const auto& [name, port] : ports->get_object())
      if (port.is_int64()) state.ports[std::string(name)] = static_cast<int>(port.get_int64());
  }
  if (const json::value* all = kube::find(read, {"processes"});
      all != nullptr && all->is_object()) {
    for (const auto& [name, process] : all->get_object()) {
      Started started{std::nullopt, kube::text_at(process, {"arguments"})};
      if (int64_t pid = kube::number_at(process, {"pid"}); pid > 0)
        started.daemon = {static_cast<int>(pid),
                          static_cast<uint64_t>(kube::number_at(process, {"startTime"}))};
      state.started[std::string(name)] = std::move(started);
    }
  }
  return state;
}

void HostState::save() const {
  json::object port_numbers;
  for (const auto& [name, port] : ports) port_numbers[name] = port;
  json::object processes;
  for (const auto& [name, one] : started) {
    json::object process{{"arguments", one.digest}};
    if (one.daemon) {
      process["pid"] = one.daemon->pid;
      process["startTime"] = static_cast<int64_t>(one.daemon->start_time);
    }
    processes[name] = std::move(process);
  }
  json::object all{{"redisPassword", redis_password},
                   {"ports", std::move(port_numbers)},
                   {"processes", std::move(processes)}};
  world_->files.write(folder_ + kStateFile, json::serialize(all));
}

std::pair<std::string, std::string> HostState::mark(const std::string& component) const {
  return {kMark, folder_ + "/" + component};
}

std::optional<Daemon> HostState::running(const std::string& component) const {
  auto found = started.find(component);
  if (found == started.end()) return std::nullopt;
  const std::optional<Daemon>& daemon = found->second.daemon;
  if (daemon) return world_->processes.alive(*daemon) ? daemon : std::nullopt;
  std::vector<Daemon> orphans = marked(component);
  return orphans.empty() ? std::nullopt : std::optional(orphans.front());
}

std::vector<Daemon> HostState::marked(const std::string& component) const {
  const Files& files = world_->files;
  std::vector<Daemon> found;
  if (files.kind("/proc") != FileKind::kFolder) return found;
  std::string wanted = std::string(kMark) + "=" + folder_ + "/" + component;
  for (const std::string& name : files.list("/proc")) {
    auto pid = process_number(name);
    if (!pid) continue;
    for (const std::string& variable :
         split(read_quietly(files, "/proc/" + name + "/environ"), '\0')) {
      bool ours = component.empty() ? variable.starts_with(wanted) : variable == wanted;
      if (!ours) continue;
      if (auto daemon = world_->processes.find(*pid)) found.push_back(*daemon);
    }
  }
  // The oldest first: what a component has started itself carries its mark too.
  std::sort(found.begin(), found.end(), [](const Daemon& a, const Daemon& b) {
    return std::pair(a.start_time, a.pid) < std::pair(b.start_time, b.pid);
  });
  return found;
}

}  // namespace blackstart::stages::argocd

// The parts of a world in which nothing happens by chance, and little at all.
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include "orchestrator/world/world.h"

namespace blackstart::kube {

class HalfRandom final : public Random {
 public:
  double uniform() override { return 0.5; }
  std::string bytes(size_t count) override { return std::string(count, 'x'); }
};

class NoProcesses final : public Processes {
 public:
  Task<Exit> run(Command) override { throw std::logic_error("no processes here"); }
  Task<Daemon> start_daemon(Command, std::string) override {
    throw std::logic_error("no processes here");
  }
  bool alive(const Daemon&) const override { return false; }
  std::optional<Daemon> find(int) const override { return std::nullopt; }
  Task<void> stop(Daemon, Duration) override { co_return; }
  void kill_all() override {}
};

class MapEnvironment final : public Environment {
 public:
  std::map<std::string, std::string> variables;
  std::optional<std::string> get(const std::string& name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, std::string> all() const override { return variables; }
  std::string working_directory() const override { return "/"; }
  std::string executable_path() const override { return "/blackstart"; }
  std::string user() const override { return "user"; }
  std::string host() const override { return "host"; }
  int pid() const override { return 1; }
  int free_port() override { return 1; }
};

class Inline final : public Blocking {
 public:
  Task<void> run(std::function<void()> work) override {
    work();
    co_return;
  }
};

}  // namespace blackstart::kube

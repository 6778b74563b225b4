#include "orchestrator/engine/tools.h"

#include <array>
#include <cstdlib>
#include <regex>

#include "orchestrator/base/error.h"
#include "orchestrator/base/path.h"
#include "orchestrator/base/text.h"

namespace blackstart::engine {
namespace {

constexpr const char* kSystemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::array<int, 3> version_numbers(const std::string& version) {
  std::array<int, 3> numbers{};
  auto parts = split(version, '.');
  for (size_t i = 0; i < numbers.size() && i < parts.size(); ++i)
    numbers[i] = std::atoi(parts[i].c_str());
  return numbers;
}

std::string version_in(const std::string& text) {
  static const std::regex pattern(R"((\d+)\.(\d+)(\.(\d+))?)");
  std::smatch match;
  return std::regex_search(text, match, pattern) ? match.str() : std::string();
}

Error unusable(const Tool& tool, const std::string& why, const std::string& pinned) {
  Error error(ErrorClass::kPermanent, tool.name + " " + tool.version + " is " + why);
  error.because("found at " + tool.path);
  error.hint("install a fitting " + tool.name +
             (pinned.empty() ? "" : " (tested with " + pinned + ")") +
             ", or name one under spec.tools." + tool.name + " in the plan");
  return error;
}

void throw_if_unfit(const Tool& tool, const ToolProbe& probe) {
  auto have = version_numbers(tool.version);
  std::string pinned = Tools::pinned_version(tool.name);
  if (!probe.minimum.empty() && have < version_numbers(probe.minimum))
    throw unusable(tool, "too old: at least " + probe.minimum + " is needed", pinned);
  if (!probe.maximum_below.empty() && have >= version_numbers(probe.maximum_below))
    throw unusable(tool, "too new: below " + probe.maximum_below + " is needed", pinned);
}

}  // namespace

int Tool::major() const { return version_numbers(version)[0]; }

Tools::Tools(World& world, std::map<std::string, std::string> from_plan)
    : world_(world), from_plan_(std::move(from_plan)) {}

std::string Tools::parts_folder() const {
  if (auto named = world_.environment.get("BLACKSTART_PARTS")) return *named + "/bin";
  std::string beside =
      absolute_path(folder_of(folder_of(world_.environment.executable_path())), "parts/bin");
  return world_.files.kind(beside) == FileKind::kFolder ? beside : std::string();
}

std::string Tools::find(const std::string& name) {
  if (auto given = from_plan_.find(name); given != from_plan_.end()) {
    if (world_.files.executable(given->second)) return given->second;
    throw Error(ErrorClass::kPermanent,
                "the plan's tool " + name + " cannot be run: " + given->second)
        .hint("correct spec.tools." + name + " in the plan");
  }
  std::vector<std::string> folders =
      split(world_.environment.get("PATH").value_or(kSystemPath), ':');
  if (std::string parts = parts_folder(); !parts.empty()) folders.insert(folders.begin(), parts);
  if (auto found = find_program(world_.files, folders, name)) return *found;
  std::string pinned = pinned_version(name);
  throw Error(ErrorClass::kPermanent, name + " was not found")
      .because("looked in the plan's tools, in the project's parts and in " + join(folders, ":"))
      .hint(pinned.empty()
                ? "install " + name + " or name it under spec.tools." + name + " in the plan"
                : "run scripts/parts/build " + name + " (" + pinned + "), install " + name +
                      ", or name it under spec.tools." + name + " in the plan");
}

Task<Tool> Tools::require(std::string name, ToolProbe probe) {
  std::function<Task<void>()> ask = [&] { return ask_version(name, probe.args); };
  SharedWork& asking = asking_.try_emplace(name, world_.executor).first->second;
  while (!known_.contains(name)) co_await asking.run(ask);
  Tool tool = known_.at(name);
  throw_if_unfit(tool, probe);
  co_return tool;
}

Task<void> Tools::ask_version(std::string name, std::vector<std::string> args) {
  Tool tool{name, find(name), {}};
  Command command = this->command(tool.path, std::move(args), "/nonexistent");
  Exit exit = co_await world_.processes.run(std::move(command));
  tool.version = version_in(exit.out.empty() ? exit.err : exit.out);
  if (!exit.ok() || tool.version.empty()) {
    throw Error(ErrorClass::kPermanent,
                name + " does not tell its version (" + exit.describe() + ")")
        .because(join(exit.last_lines(3), " / "))
        .hint("is " + tool.path + " really " + name + "?");
  }
  known_[name] = std::move(tool);
}

Command Tools::command(const std::string& path, std::vector<std::string> args,
                       const std::string& home) {
  Command command;
  command.program = path;
  command.args = std::move(args);
  std::string parts = parts_folder();
  command.environment["PATH"] =
      folder_of(path) + (parts.empty() ? "" : ":" + parts) + ":" + kSystemPath;
  command.environment["HOME"] = home;
  command.environment["LANG"] = "C.UTF-8";
  for (const char* name : {"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy",
                           "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR"}) {
    if (auto value = world_.environment.get(name)) command.environment[name] = *value;
  }
  return command;
}

}  // namespace blackstart::engine

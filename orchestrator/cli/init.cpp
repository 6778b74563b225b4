// blackstart init: a Git repository with a plan that works, ready to be one's own.
#include "orchestrator/cli/init.h"

#include "orchestrator/base/hex.h"
#include "orchestrator/base/path.h"
#include "orchestrator/base/shell.h"
#include "orchestrator/base/text.h"
#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/program.h"
#include "orchestrator/cli/starter.h"

namespace blackstart::cli {
namespace {

constexpr const char* kPlaceholderUrl = "https://git.example.com/homelab.git";
constexpr const char* kPlaceholderName = "  name: homelab\n";
constexpr const char* kPlaceholderVersion = "0.0.0";
constexpr const char* kChartFolder = "/infrastructure/argocd/chart";
// Below the new folder. Everything is made in it and moved up at the end, so that an init that was
// killed leaves nothing else, and the next one takes it away.
constexpr const char* kUnfinished = ".blackstart-init";
constexpr size_t kFileLimit = 16u << 20;
constexpr size_t kNameLimit = 40;  // the longest that leaves room for what is derived from it

std::string replaced(std::string text, std::string_view from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// All is encoded that a URL, YAML or a shell could read as a sign of its own.
std::string file_url(const std::string& path) {
  static constexpr std::string_view kPlain = "/-._~";
  std::string url = "file://";
  for (unsigned char c : path) {
    bool plain = c >= 0x80 || std::isalnum(c) != 0 || kPlain.find(c) != std::string_view::npos;
    url += plain ? std::string(1, static_cast<char>(c))
                 : "%" + hex(std::string_view(reinterpret_cast<const char*>(&c), 1));
  }
  return url;
}

bool is_plan_name(const std::string& name) {
  auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= kNameLimit &&
         std::all_of(name.begin(), name.end(), fits) && name.front() != '-' && name.back() != '-';
}

void refuse_what_is_there(const Files& files, const std::string& folder) {
  switch (files.kind(folder)) {
    case FileKind::kMissing: return;
    case FileKind::kFolder: {
      std::vector<std::string> names = files.list(folder);
      std::erase(names, kUnfinished);
      if (names.empty()) return;
      throw Error(ErrorClass::kUsage, "the folder is not empty: " + folder)
          .hint("name a new one: blackstart init FOLDER; nothing was changed here");
    }
    default: throw Error(ErrorClass::kUsage, "this is no folder: " + folder);
  }
}

/// The folder with Argo CD's manifests, made by scripts/parts/build.
std::string chart_source(World& world, const engine::Tools& tools) {
  std::string parts = tools.parts_folder();
  std::string source = folder_of(parts) + "/share/argo-cd";
  bool there = !parts.empty() && world.files.kind(source + "/templates") == FileKind::kFolder &&
               world.files.kind(source + "/crds") == FileKind::kFolder;
  if (there) return source;
  throw Error(ErrorClass::kPermanent, "Argo CD's chart was not found")
      .because(parts.empty() ? "the project's own parts are not beside this program"
                             : "looked for templates/ and crds/ in " + source)
      .hint(
          "run scripts/parts/build in Blackstart's own source folder, or set BLACKSTART_PARTS to "
          "its build/parts");
}

void write(World& world, const std::string& path, std::string_view content) {
  world.files.make_folders(folder_of(path), 0755);
  world.files.write(path, content, 0644);
}

void write_starter(World& world, const StarterRequest& request, const std::string& target) {
  std::string version = engine::Tools::pinned_version("argocd");
  if (version.starts_with('v')) version.erase(0, 1);
  for (const StarterFile& file : starter_files()) {
    std::string content =
        replaced(std::string(file.content), kPlaceholderUrl, file_url(request.folder));
    if (file.path == "plan.yaml")
      content = replaced(content, kPlaceholderName, "  name: \"" + request.name + "\"\n");
    if (file.path == "README.md")
      content = replaced(content, "# homelab\n", "# " + request.name + "\n");
    if (file.path.ends_with("Chart.yaml"))
      content = replaced(content, kPlaceholderVersion, version);
    write(world, target + "/" + std::string(file.path), content);
  }
}

void copy_chart(World& world, const std::string& source, const std::string& target) {
  for (const char* part : {"/crds", "/templates"}) {
    for (const std::string& name : world.files.list(source + part))
      write(world, target + part + "/" + name,
            world.files.read(source + part + "/" + name, kFileLimit));
  }
}

Task<Exit> run_git(World& world, engine::Tools& tools, std::string folder,
                   std::vector<std::string> arguments) {
  // The user's own configuration says who commits; what could ask or run something is switched off.
  std::vector<std::string> all{"-C", std::move(folder),
                               "-c", "commit.gpgSign=false",
                               "-c", "core.hooksPath=/dev/null",
                               "-c", "core.autocrlf=false",
                               "-c", "gc.auto=0"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  Command command =
      tools.command(tools.find("git"), std::move(all), world.environment.get("HOME").value_or("/"));
  if (auto config = world.environment.get("XDG_CONFIG_HOME"))
    command.environment["XDG_CONFIG_HOME"] = *config;
  command.environment["GIT_TERMINAL_PROMPT"] = "0";
  co_return co_await world.processes.run(std::move(command));
}

Task<void> must_run_git(World& world, engine::Tools& tools, std::string folder,
                        std::vector<std::string> arguments) {
  std::string what = arguments.front() == "-c" ? "commit" : arguments.front();
  Exit exit = co_await run_git(world, tools, std::move(folder), std::move(arguments));
  if (exit.ok()) co_return;
  Error error(ErrorClass::kPermanent, "git " + what + " failed (" + exit.describe() + ")");
  for (std::string& line : exit.last_lines(5)) error.because(std::move(line));
  throw error;
}

Task<void> commit(World& world, engine::Tools& tools, std::string folder) {
  std::vector<std::string> init{"init", "--quiet", "-b", "main"};
  co_await must_run_git(world, tools, folder, std::move(init));
  std::vector<std::string> add{"add", "--all"};
  co_await must_run_git(world, tools, folder, std::move(add));
  std::vector<std::string> arguments;
  for (const auto& [key, fallback] :
       {std::pair("user.name", "blackstart"), std::pair("user.email", "blackstart@localhost")}) {
    std::vector<std::string> question{"config", "--get", key};
    Exit configured = co_await run_git(world, tools, folder, std::move(question));
    if (!configured.ok())
      arguments.insert(arguments.end(), {"-c", std::string(key) + "=" + fallback});
  }
  arguments.insert(arguments.end(),
                   {"commit", "--quiet", "-m", "Start from blackstart's starter repository"});
  co_await must_run_git(world, tools, folder, std::move(arguments));
}

Task<void> make_repository(World& world, engine::Tools& tools, StarterRequest request,
                           std::string chart) {
  std::string unfinished = request.folder + "/" + kUnfinished;
  world.files.remove_all(unfinished);
  write_starter(world, request, unfinished);
  copy_chart(world, chart, unfinished + kChartFolder);
  co_await commit(world, tools, unfinished);
  for (const std::string& name : world.files.list(unfinished))
    world.files.rename(unfinished + "/" + name, request.folder + "/" + name);
  world.files.remove_all(unfinished);
}

void clean_up(World& world, const std::string& folder, bool was_there) {
  if (!was_there) return world.files.remove_all(folder);
  for (const std::string& name : world.files.list(folder))
    world.files.remove_all(folder + "/" + name);
}

}  // namespace

std::string plan_name_of(const std::string& folder) {
  std::string name;
  for (unsigned char c : folder.substr(folder.rfind('/') + 1)) {
    bool fits = std::isalnum(c) != 0 && c < 0x80;
    if (fits)
      name += static_cast<char>(std::tolower(c));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  name.resize(std::min(name.size(), kNameLimit));
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "homelab" : name;
}

Task<void> make_starter(World& world, engine::Tools& tools, StarterRequest request) {
  if (request.name.empty()) request.name = plan_name_of(request.folder);
  if (!is_plan_name(request.name)) {
    throw Error(ErrorClass::kUsage, "a plan cannot be named '" + request.name + "'")
        .hint("use lower-case letters, digits and dashes, at most " + std::to_string(kNameLimit));
  }
  if (std::ranges::any_of(request.folder, [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
    throw Error(ErrorClass::kUsage, "the folder's path holds a control character")
        .hint("it is going to be a part of URLs and YAML files: name another one");
  refuse_what_is_there(world.files, request.folder);
  std::string chart = chart_source(world, tools);
  tools.find("git");
  bool was_there = world.files.kind(request.folder) == FileKind::kFolder;
  std::exception_ptr failure;
  try {
    co_await make_repository(world, tools, request, chart);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  clean_up(world, request.folder, was_there);
  std::rethrow_exception(failure);
}

Task<int> run_init(Program& program) {
  engine::Tools tools(program.world, {});
  StarterRequest request{program.absolute(program.arguments.file), program.arguments.name};
  std::string here = program.world.environment.working_directory();
  co_await make_starter(program.world, tools, request);
  std::string text = "Made a Git repository in " + request.folder + ":\n\n";
  for (const auto& [path, what] :
       {std::pair("plan.yaml", "the order in which things come up"),
        std::pair("bootstrap/", "what Argo CD's root Application manages"),
        std::pair("infrastructure/", "Argo CD's chart and its values"),
        std::pair("applications/", "two small applications to begin with"),
        std::pair("README.md", "the first session, and how to make it yours")})
    text +=
        "  " + std::string(path) + std::string(18 - std::string(path).size(), ' ') + what + "\n";
  text += "\nNext:\n\n";
  bool like_an_option = program.arguments.file.starts_with('-');
  if (request.folder != here)
    text += "  cd " + shell_word((like_an_option ? "./" : "") + program.arguments.file) + "\n";
  program.print(text + "  blackstart validate\n  blackstart plan\n  blackstart apply\n");
  co_return kExitDone;
}

}  // namespace blackstart::cli

#include "stages/argocd/revisions.h"

#include <charconv>

#include "orchestrator/base/text.h"

namespace blackstart::stages::argocd {
namespace {

constexpr size_t kShortestCommit = 7;  // as git shortens them

Task<Exit> run_git(engine::Context& context, std::string repository,
                   std::vector<std::string> arguments) {
  // Only reads: another user's repository (a run with sudo) does no harm.
  std::vector<std::string> all{"-c", "safe.directory=*", "-C", repository};
  all.insert(all.end(), arguments.begin(), arguments.end());
  Command command =
      context.tools().command(context.tools().find("git"), std::move(all), "/nonexistent");
  command.environment["GIT_CONFIG_NOSYSTEM"] = "1";
  command.environment["GIT_OPTIONAL_LOCKS"] = "0";
  co_return co_await context.world().processes.run(std::move(command));
}

std::string percent_decoded(const std::string& url) {
  std::string text;
  for (size_t i = 0; i < url.size(); ++i) {
    unsigned byte = 0;
    bool escape = url[i] == '%' && i + 2 < url.size() &&
                  std::from_chars(&url[i + 1], &url[i + 3], byte, 16).ptr == &url[i + 3];
    text += escape ? static_cast<char>(byte) : url[i];
    if (escape) i += 2;
  }
  return text;
}

std::string without_scheme_and_user(std::string url) {
  if (size_t scheme = url.find("://"); scheme != std::string::npos)
    url.erase(0, scheme + 3);
  else if (size_t colon = url.find(':'); colon != std::string::npos && !url.starts_with('/'))
    url[colon] = '/';
  if (size_t user = url.find('@'); user != std::string::npos && user < url.find('/'))
    url.erase(0, user + 1);
  return percent_decoded(url);
}

Task<std::vector<std::string>> urls_of(engine::Context& context, std::string repository) {
  std::vector<std::string> urls{"file://" + repository};
  std::vector<std::string> arguments{"config", "--get-regexp", R"(^remote\..*\.url$)"};
  Exit exit = co_await run_git(context, repository, std::move(arguments));
  for (const std::string& line : split(exit.out, '\n')) {
    if (size_t space = line.find(' '); space != std::string::npos)
      urls.push_back(line.substr(space + 1));
  }
  co_return urls;
}

Task<std::optional<std::string>> commit_of(engine::Context& context, std::string repository,
                                           std::string revision) {
  std::vector<std::string> arguments{"rev-parse", "--verify", "--quiet", "--end-of-options",
                                     revision + "^{commit}"};
  Exit exit = co_await run_git(context, repository, std::move(arguments));
  if (!exit.ok()) co_return std::nullopt;
  co_return std::string(trim(exit.out));
}

Task<bool> is_unpushed(engine::Context& context, std::string repository, std::string commit) {
  std::vector<std::string> all{"for-each-ref", "--count=1", "refs/remotes"};
  std::vector<std::string> with{"for-each-ref", "--count=1", "--contains", std::move(commit),
                                "refs/remotes"};
  Exit any = co_await run_git(context, repository, std::move(all));
  if (!any.ok() || trim(any.out).empty()) co_return false;
  Exit found = co_await run_git(context, repository, std::move(with));
  co_return found.ok() && trim(found.out).empty();
}

}  // namespace

std::string repository_name(const Files& files, const std::string& url) {
  std::string name = without_scheme_and_user(url);
  if (name.starts_with('/')) name = files.canonical(name);
  while (name.ends_with('/')) name.pop_back();
  if (name.ends_with(".git")) name.erase(name.size() - 4);
  while (name.ends_with('/')) name.pop_back();
  return name;
}

Revisions::Revisions(std::string repository, std::string pinned)
    : repository_(std::move(repository)), pinned_(std::move(pinned)) {}

bool Revisions::is_commit(const std::string& revision) {
  return revision.size() >= kShortestCommit &&
         revision.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool Revisions::concerns(const Source& source) const {
  return source.is_git() && (repository_.empty() || urls_.contains(source.repo_url));
}

void Revisions::find_urls(const Files& files, const std::vector<Source>& sources) {
  urls_.clear();
  for (const Source& source : sources) {
    if (names_.contains(repository_name(files, source.repo_url))) urls_.insert(source.repo_url);
  }
}

Task<void> Revisions::resolve(engine::Context& context, std::vector<Source> sources) {
  if (repository_.empty()) co_return;
  const Files& files = context.world().files;
  if (names_.empty()) {
    if (!co_await commit_of(context, repository_, "HEAD")) {
      throw Error(ErrorClass::kUsage, "this is no Git repository with a commit: " + repository_)
          .at(context.option("repository").place)
          .hint("name the folder of the repository that the Applications are read from");
    }
    for (const std::string& url : co_await urls_of(context, repository_))
      names_.insert(repository_name(files, url));
  }
  find_urls(files, sources);
  std::set<std::string> targets;
  if (!pinned_.empty()) targets.insert(pinned_);
  for (const Source& source : sources) {
    if (pinned_.empty() && concerns(source)) targets.insert(source.target_revision);
  }
  commits_.clear();
  for (const std::string& target : targets) {
    if (auto commit = co_await commit_of(context, repository_, target)) commits_[target] = *commit;
  }
  if (!pinned_.empty() && !commits_.contains(pinned_)) {
    throw Error(ErrorClass::kUsage, "revision " + pinned_ + " is not in " + repository_)
        .at(context.option("revision").place);
  }
  co_await find_pushed(context);
}

Task<void> Revisions::find_pushed(engine::Context& context) {
  for (const auto& [target, commit] : commits_) {
    if (pushed_.contains(commit)) continue;
    bool unpushed = co_await is_unpushed(context, repository_, commit);
    if (!unpushed) pushed_.insert(commit);
  }
}

Task<void> Revisions::warn_of_unpushed(engine::Context& context) {
  if (repository_.empty()) co_return;
  std::vector<std::string> ahead{"rev-list", "--count", "@{upstream}..HEAD", "--"};
  std::vector<std::string> upstream{"rev-parse", "--abbrev-ref", "@{upstream}"};
  Exit counted = co_await run_git(context, repository_, std::move(ahead));
  std::string count(trim(counted.out));
  if (!counted.ok() || count.empty() || count == "0") co_return;  // no branch to be pushed to
  Exit named = co_await run_git(context, repository_, std::move(upstream));
  context.warn(count + (count == "1" ? " commit is" : " commits are") + " not pushed to " +
                   std::string(trim(named.out)) + ": Argo CD does not see " +
                   (count == "1" ? "it" : "them"),
               "git push, in " + repository_);
}

std::optional<Expected> Revisions::expected(const Source& source) const {
  if ((repository_.empty() && pinned_.empty()) || !concerns(source)) return std::nullopt;
  if (repository_.empty()) return Expected{pinned_};
  auto found = commits_.find(pinned_.empty() ? source.target_revision : pinned_);
  if (found == commits_.end()) return std::nullopt;
  return Expected{found->second, pushed_.contains(found->second)};
}

}  // namespace blackstart::stages::argocd

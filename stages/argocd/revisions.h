// Which commit an Application should be at, asked of the local repository that it is read from.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "stages/argocd/application.h"

namespace blackstart::stages::argocd {

/// What is left when scheme, user and .git are taken off a URL, a local path in its one spelling:
/// the same for every spelling of a repository's URL.
std::string repository_name(const Files& files, const std::string& url);

/// A local Git repository and what its revisions stand for. Without a path it expects nothing.
class Revisions {
 public:
  Revisions() = default;
  /// `pinned` (may be empty) is expected of every source of that repository, or without a
  /// repository, when it must be a commit, of every Git source.
  Revisions(std::string repository, std::string pinned);

  /// Asks git what the target revisions of `sources` are now. Throws Error(kUsage) when the path is
  /// no repository or `pinned` names no commit in it.
  Task<void> resolve(engine::Context& context, std::vector<Source> sources);
  /// Of a source that was given to the last resolve(). Pushed is what is in a branch of a remote,
  /// as last fetched or pushed here; where there is no such branch, all is.
  std::optional<Expected> expected(const Source& source) const;

  /// Says how many commits the branch that is checked out is ahead of the one it is pushed to.
  Task<void> warn_of_unpushed(engine::Context& context);

  /// Is this the hex number of a commit, or the beginning of one that git would give?
  static bool is_commit(const std::string& revision);

 private:
  bool concerns(const Source& source) const;
  void find_urls(const Files& files, const std::vector<Source>& sources);
  Task<void> find_pushed(engine::Context& context);

  std::string repository_;
  std::string pinned_;
  std::set<std::string> names_;  // of the repository and its remotes, as repository_name() says
  std::set<std::string> urls_;   // of the sources that are read from it
  std::map<std::string, std::string> commits_;  // by target revision; unknown ones are left out
  std::set<std::string> pushed_;                // commits that once were seen to be
};

}  // namespace blackstart::stages::argocd

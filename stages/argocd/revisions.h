// Which commit an Application should be at, asked of the local repository that it is read from.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "stages/argocd/application.h"

namespace blackstart::stages::argocd {

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
  std::optional<std::string> expected(const Source& source) const;

  /// Is this the hex number of a commit, or the beginning of one that git would give?
  static bool is_commit(const std::string& revision);
  /// Is this the URL of that repository? `urls` are those of the repository and its remotes.
  static bool same_repository(const std::string& url, const std::vector<std::string>& urls);

 private:
  bool concerns(const Source& source) const;

  std::string repository_;
  std::string pinned_;
  std::vector<std::string> urls_;
  std::map<std::string, std::string> commits_;  // by target revision; unknown ones are left out
};

}  // namespace blackstart::stages::argocd

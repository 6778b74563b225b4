#include "stages/argocd/advice.h"

namespace blackstart::stages::argocd {
namespace {

struct Words {
  const char* fragment;
  Access access;
};

// As go-git, ssh and net/http have them; the first that is found counts.
constexpr Words kAccess[] = {
    {"authentication required", Access::kRefused},
    {"authorization failed", Access::kRefused},
    {"unable to authenticate", Access::kRefused},
    {"invalid username or password", Access::kRefused},
    {"Permission denied", Access::kRefused},
    {"403 Forbidden", Access::kRefused},
    {"401 Unauthorized", Access::kRefused},
    {"knownhosts:", Access::kRefused},
    {"repository not found", Access::kMissing},
    {"dial tcp", Access::kUnreachable},
    {"no such host", Access::kUnreachable},
    {"i/o timeout", Access::kUnreachable},
    {"deadline exceeded", Access::kUnreachable},
    {"tls: ", Access::kUnreachable},
    {"x509: ", Access::kUnreachable},
};

bool has(std::string_view text, std::string_view fragment) {
  return text.find(fragment) != std::string_view::npos;
}

std::string advice_about_access(Access access) {
  switch (access) {
    case Access::kRefused:
      return "correct the credentials that Argo CD has for this repository: a stage "
             "argocd.repository gives it them";
    case Access::kMissing:
      return "correct repoURL; a private repository is also \"not found\" without credentials: a "
             "stage argocd.repository gives Argo CD them";
    case Access::kUnreachable:
      return "see that the repository can be reached from where Argo CD runs, or correct repoURL";
    case Access::kFine: break;
  }
  return {};
}

}  // namespace

Access access_in(std::string_view message) {
  for (const Words& words : kAccess)
    if (has(message, words.fragment)) return words.access;
  return Access::kFine;
}

std::string advice_about(std::string_view condition, std::string_view message) {
  if (condition == "InvalidSpecError")
    return "correct the Application's spec in Git, or create what it names";
  if (has(message, "unable to resolve") && has(message, "to a commit SHA"))
    return "push that branch, tag or commit, or correct targetRevision";
  if (Access access = access_in(message); access != Access::kFine)
    return advice_about_access(access);
  if (has(message, "app path does not exist"))
    return "push that folder, or correct the path of the source";
  return "correct the path, revision or manifests that it names in Git";
}

}  // namespace blackstart::stages::argocd

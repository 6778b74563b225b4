// One Application as Argo CD reports it: done, on its way, or stuck; pure.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/kube/object.h"

namespace blackstart::stages::argocd {

/// One source of an Application.
struct Source {
  std::string repo_url;
  std::string target_revision;  // "HEAD" when it names none
  std::string chart;            // empty: a Git source
  std::string revision;         // that it was last compared with; empty: not yet

  bool is_git() const { return chart.empty() && !repo_url.starts_with("oci://"); }
};

/// The commit that a source is to be at.
struct Expected {
  std::string commit;
  bool pushed = true;  // to where Argo CD reads; it can be at no other
};
/// nullopt: any commit will do.
using ExpectedRevision = std::function<std::optional<Expected>(const Source&)>;

/// What may be asked of Argo CD, so that an Application gets on.
enum class Remedy {
  kNone,
  kRefresh,    // look at Git again
  kSync,       // sync it: Argo CD will not by itself
  kTerminate,  // end its operation
};

struct Verdict {
  enum class Kind {
    kDone,         // Synced, Healthy, the last operation succeeded, at the expected revision
    kProgressing,  // on its way
    kStale,        // compared with an older revision than the expected one
    kStuck,        // will not get further by itself, if this persists
  };
  /// What the plan may have a word in.
  enum class Matter {
    kNone,
    kUnsynced,    // OutOfSync, and Argo CD will not sync it by itself
    kFailedSync,  // the sync to this revision failed, and Argo CD will not try it again
    kSuspended,   // nothing is wrong but that something in it is suspended
    kPinned,      // its operation goes on at another revision than Git is at
  };
  std::string application;
  Kind kind = Kind::kProgressing;
  Matter matter = Matter::kNone;
  Remedy remedy = Remedy::kNone;
  std::string reason;               // "OutOfSync, Progressing", "ComparisonError: …"
  std::string trouble;              // the same while nothing changes; empty: the reason does for it
  std::string since;                // RFC 3339: when Argo CD first said so; empty: not known
  std::string hint;                 // kStuck: what to do
  std::vector<std::string> causes;  // what the operation said of single resources
  std::string expected;             // the revision it should be at, or that it was compared with
  std::string health;               // as Argo CD calls it
  bool unhealthy = false;           // its resources may say more
  bool retrying = false;            // its operation has failed before and goes on
  std::string failure;              // retrying: what the last try failed of, while that is told
  std::vector<kube::ObjectRef> suspects;  // to be looked into before all others
};

std::vector<Source> sources_of(const boost::json::value& application);
Verdict judge_application(const boost::json::value& application, const ExpectedRevision& expected);

/// What stays the same about a verdict while nothing changes.
inline const std::string& trouble_of(const Verdict& verdict) {
  return verdict.trouble.empty() ? verdict.reason : verdict.trouble;
}

/// One for each source at `path` ("revisions" where there are several, "revision" else); a single
/// empty one when there is none.
std::vector<std::string> revisions_at(const boost::json::value& application,
                                      std::initializer_list<std::string_view> path);
/// As people write it.
std::string short_of(const std::string& revision);

/// Those of one of Argo CD's own kinds ("Application", "ApplicationSet") among its resources.
std::vector<kube::ObjectRef> children_of(const boost::json::value& application,
                                         std::string_view kind);
/// Resources that can be less than ready: workloads, claims, Services and the like.
std::vector<kube::ObjectRef> workloads_of(const boost::json::value& application);

}  // namespace blackstart::stages::argocd

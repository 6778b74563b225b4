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

/// The commit that a source is to be at, or nullopt when any will do.
using ExpectedRevision = std::function<std::optional<std::string>(const Source&)>;

struct Verdict {
  enum class Kind {
    kDone,         // Synced, Healthy, the last operation succeeded, at the expected revision
    kProgressing,  // on its way
    kStale,        // compared with an older revision than the expected one
    kStuck,        // will not get further by itself, if this persists
  };
  std::string application;
  Kind kind = Kind::kProgressing;
  std::string reason;               // "OutOfSync, Progressing", "ComparisonError: …"
  std::string hint;                 // kStuck: what to do
  std::vector<std::string> causes;  // what the operation said of single resources
  std::string expected;             // kStale: the revision it should be at
  bool unhealthy = false;           // its resources may say more
};

std::vector<Source> sources_of(const boost::json::value& application);
Verdict judge_application(const boost::json::value& application, const ExpectedRevision& expected);

/// Those of one of Argo CD's own kinds ("Application", "ApplicationSet") among its resources.
std::vector<kube::ObjectRef> children_of(const boost::json::value& application,
                                         std::string_view kind);
/// Resources that can be less than ready: workloads, claims, Services and the like.
std::vector<kube::ObjectRef> workloads_of(const boost::json::value& application);

}  // namespace blackstart::stages::argocd

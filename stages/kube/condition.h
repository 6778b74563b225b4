// One thing that kube.wait waits for, judged against what is there.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/kube/readiness.h"
#include "orchestrator/kube/watch.h"
#include "orchestrator/plan/value.h"

namespace blackstart::stages {

struct Condition {
  enum class Kind { kReady, kStatus, kGone, kCount };
  Kind kind = Kind::kReady;
  kube::Selection selection;  // its api_version is empty until the kind has been found
  std::string type;           // kStatus: "Ready"
  std::string status;         // kStatus: "True"
  size_t count = 1;           // kCount: at least so many; kReady: at least so many ready ones

  /// Does it hold when there is no such object?
  bool holds_without_any() const { return kind == Kind::kGone || count == 0; }
  /// "Deployment argocd/argocd-server to be ready".
  std::string to_string() const;
};

/// Reads one item of the option `for`; throws Error(kUsage) at its place.
Condition read_condition(const plan::Value& value);

struct Judgement {
  bool holds = false;
  bool hopeless = false;                       // will not come true by itself
  bool stalled = false;                        // the same, when it lasts
  std::string reason;                          // a sentence
  const boost::json::value* object = nullptr;  // one that is not ready and holds it up
};

/// Pure. `items` are the objects of the selection; a kind that does not exist yet has none.
Judgement judge(const Condition& condition, const std::vector<const boost::json::value*>& items,
                const kube::Surroundings& around = {});

}  // namespace blackstart::stages

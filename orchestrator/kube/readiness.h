// Is it ready, and if not, why: kstatus's rules for built-in kinds, conditions for the rest.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace blackstart::kube {

struct Readiness {
  enum class State {
    kReady,
    kProgressing,  // on its way, or nobody has looked at this generation yet
    kStalled,  // its controller says that it fails, and goes on trying: counts once it has lasted
    kFailed,   // will not become ready by itself
  };
  State state = State::kProgressing;
  std::string reason;  // a sentence: "2 of 3 replicas are available"

  bool ready() const { return state == State::kReady; }
};

/// What else in the cluster readiness depends on; look_around() (surroundings.h) reads it.
struct Surroundings {
  std::vector<boost::json::value> storage_classes;
};

/// Pure. Every built-in kind of Kubernetes has a rule or a stated reason why existing is enough
/// (readiness_core.cpp); so have Argo CD's, Gateway API's, cert-manager's and other well-known
/// kinds. Any other is judged by its conditions (Ready, Available, Stalled, …), ready when it has
/// none. The rules are those of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus); where one departs
/// from it, a comment says why.
Readiness readiness_of(const boost::json::value& object, const Surroundings& around = {});

}  // namespace blackstart::kube

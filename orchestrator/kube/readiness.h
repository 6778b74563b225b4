// Is it ready, and if not, why: kstatus's rules for built-in kinds, conditions for the rest.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace blackstart::kube {

struct Readiness {
  enum class State {
    kReady,
    kProgressing,  // on its way, or nobody has looked at this generation yet
    kFailed,       // will not become ready by itself
  };
  State state = State::kProgressing;
  std::string reason;  // a sentence: "2 of 3 replicas are available"

  bool ready() const { return state == State::kReady; }
};

/// Pure. Knows Namespace, CustomResourceDefinition, Deployment, StatefulSet, DaemonSet, ReplicaSet,
/// Job, Service, PersistentVolumeClaim, APIService, Pod, Node, Argo CD's Application,
/// ApplicationSet and AppProject; any other kind by its conditions (Ready, Available, Stalled, …),
/// ready when it has none.
Readiness readiness_of(const boost::json::value& object);

/// Does a condition of this type say that Argo CD cannot go on with an Application as it is
/// written?
bool breaks_application(std::string_view condition);

/// Was what an Application asks for now compared with the cluster? As Argo CD's own
/// specEqualsCompareTo has it.
bool is_compared(const boost::json::value& application);

}  // namespace blackstart::kube

// What holds a pod up, in one sentence.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace blackstart::kube {

/// A container of a pod that is not as it should be.
struct ContainerTrouble {
  std::string container;
  std::string text;  // "ImagePullBackOff: Back-off pulling image …", "exited with code 1: Error"
  bool has_run = false;    // there may be a log
  bool restarted = false;  // the interesting log is the previous one
};

/// Init containers first, in the order of the pod. Bounded.
std::vector<ContainerTrouble> container_troubles(const boost::json::value& pod);

/// "container web: ImagePullBackOff: …", "it cannot be scheduled: 0/3 nodes …"; empty when nothing
/// is known to be wrong.
std::string pod_trouble(const boost::json::value& pod);

}  // namespace blackstart::kube

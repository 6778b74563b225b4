// What kwokctl keeps of one cluster: its folder, its processes, and which of them are really its
// own.
//
// kwokctl remembers processes by number alone. After a restart of the machine such a number may be
// anybody's, and kwokctl would take the stranger for its component, or kill it. So a process counts
// as the cluster's only when it was started from the cluster's own folder, which its command line
// shows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/world/world.h"

namespace blackstart::stages {

class KwokHome {
 public:
  /// `folder` is the stage's own; nothing is made before it is needed.
  KwokHome(World& world, std::string folder, std::string name);

  const std::string& name() const { return name_; }
  std::string work_folder() const { return folder_ + "/kwok"; }  // KWOK_WORKDIR
  std::string cluster_folder() const { return work_folder() + "/clusters/" + name_; }
  std::string config_file() const { return folder_ + "/kwokctl.json"; }
  std::string kubeconfig() const { return folder_ + "/kubeconfig"; }

  /// kwokctl has begun to make it; whether it got to the end is another question.
  bool begun() const;
  /// It was ready once, so that it may hold data.
  bool finished() const;
  /// To be called when it has been ready for the first time.
  void mark_finished();
  /// A cluster of another name in our folder (the plan was changed); empty when there is none.
  std::string other_cluster() const;
  /// Our own copy of kwokctl's kubeconfig, 0600.
  void write_kubeconfig();

  /// Components that do not run, by name, in the order of start.
  std::vector<std::string> stopped() const;
  /// While kwokctl is at work: the first component that it started and that has ended for good,
  /// though kwokctl, which asks the API server alone, may wait for minutes yet. A component that
  /// may do better when kwokctl starts it again does not count: kube-controller-manager ends when
  /// the API server of a slow machine takes longer than ten seconds.
  std::optional<std::string> lost() const;
  /// The last line that a component logged since it was started; may be empty.
  std::string last_line(const std::string& component) const;
  /// The same when it tells of a failure; else empty.
  std::string last_words(const std::string& component) const;
  /// Before kwokctl is let loose: forgets numbers that are not our processes', and ends processes
  /// of ours that kwokctl does not know of (it was killed between starting one and noting its
  /// number).
  Task<void> tidy();
  /// Ends all of the cluster's processes at once, with no time to store anything.
  Task<void> kill_all();
  /// Takes away everything but processes.
  void remove();

 private:
  bool is_ours(int pid) const;
  std::optional<int> noted_pid(const std::string& component) const;
  std::vector<int> processes() const;

  World& world_;
  std::string folder_;
  std::string name_;
};

}  // namespace blackstart::stages

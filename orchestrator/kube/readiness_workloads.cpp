// Pods and what makes them.
#include <boost/json/array.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/kube/pod_states.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

/// "1 of 3 replicas", "0 of 1 replica".
std::string of(int64_t have, int64_t want, std::string_view what) {
  return std::to_string(have) + " of " +
         count_of(static_cast<size_t>(std::max<int64_t>(want, 0)), what);
}

/// "1 of 3 replicas are ready", "0 of 1 replica is ready".
std::string of(int64_t have, int64_t want, std::string_view what, const std::string& state) {
  return of(have, want, what) + (want == 1 ? " is " : " are ") + state;
}

// These always have an observedGeneration once their controller has looked at them.
std::optional<Readiness> not_seen(const json::value& object) {
  if (!find(object, {"status", "observedGeneration"}))
    return progressing("its controller has not looked at it yet");
  return unseen_generation(object);
}

// What a Deployment still lacks; empty when it has rolled out.
std::string missing_of_deployment(const json::value& object) {
  const int64_t want = number_at(object, {"spec", "replicas"}, 1);
  const int64_t all = number_at(object, {"status", "replicas"});
  const int64_t updated = number_at(object, {"status", "updatedReplicas"});
  const int64_t available = number_at(object, {"status", "availableReplicas"});
  if (updated < want) return of(updated, want, "replica", "updated");
  if (all > updated)
    return count_of(static_cast<size_t>(all - updated), "old replica") + " not gone yet";
  if (all > want)
    return count_of(static_cast<size_t>(all - want), "replica") + " too many, not gone yet";
  return available < want ? of(available, want, "replica", "available") : "";
}

// kstatus takes ProgressDeadlineExceeded for the end. It is none: the controller goes on, and takes
// it back as soon as something moves (an image that is pulled at last, a quota that is raised).
Readiness deployment(const json::value& object) {
  if (auto unseen = not_seen(object)) return *unseen;
  std::string missing = missing_of_deployment(object);
  if (missing.empty()) {
    const int64_t want = number_at(object, {"spec", "replicas"}, 1);
    return ready(
        of(number_at(object, {"status", "availableReplicas"}), want, "replica", "available"));
  }
  if (flag_at(object, {"spec", "paused"})) return progressing("its rollout is paused: " + missing);
  const auto failure = condition_of(object, "ReplicaFailure");
  const std::string why = failure && failure->is_true() ? ": " + failure->text() : "";
  const auto progress = condition_of(object, "Progressing");
  if (progress && progress->reason == "ProgressDeadlineExceeded")
    return stalled(missing + (why.empty() ? ": " + progress->text() : why));
  return progressing(missing + why);
}

// kstatus takes one that is updated by hand (OnDelete) for ready whatever its pods do; here they
// must run.
Readiness stateful_set(const json::value& object) {
  if (auto unseen = not_seen(object)) return *unseen;
  const int64_t want = number_at(object, {"spec", "replicas"}, 1);
  const int64_t ready_count = number_at(object, {"status", "readyReplicas"});
  if (ready_count < want) return progressing(of(ready_count, want, "replica", "ready"));
  if (text_at(object, {"spec", "updateStrategy", "type"}, "RollingUpdate") == "OnDelete")
    return ready(of(ready_count, want, "replica", "ready (updated only when deleted)"));
  const int64_t partition =
      number_at(object, {"spec", "updateStrategy", "rollingUpdate", "partition"});
  const int64_t to_update = std::max<int64_t>(want - partition, 0);
  const int64_t updated = number_at(object, {"status", "updatedReplicas"});
  const bool old_left = partition == 0 && text_at(object, {"status", "currentRevision"}) !=
                                              text_at(object, {"status", "updateRevision"});
  if (updated < to_update || old_left)
    return progressing(of(updated, to_update, "replica", "updated"));
  if (number_at(object, {"status", "replicas"}) > want)
    return progressing("replicas that are too many are not gone yet");
  return ready(of(ready_count, want, "replica", "ready"));
}

Readiness daemon_set(const json::value& object) {
  if (auto unseen = not_seen(object)) return *unseen;
  const int64_t want = number_at(object, {"status", "desiredNumberScheduled"});
  const int64_t updated = number_at(object, {"status", "updatedNumberScheduled"});
  const int64_t available = number_at(object, {"status", "numberAvailable"});
  const bool on_delete = text_at(object, {"spec", "updateStrategy", "type"}) == "OnDelete";
  if (!on_delete && updated < want) return progressing(of(updated, want, "pod", "updated"));
  if (available < want) return progressing(of(available, want, "pod", "available"));
  return ready(of(available, want, "pod", "available"));
}

Readiness replica_set(const json::value& object) {
  if (auto unseen = not_seen(object)) return *unseen;
  const int64_t want = number_at(object, {"spec", "replicas"}, 1);
  const int64_t available = number_at(object, {"status", "availableReplicas"});
  const auto failure = condition_of(object, "ReplicaFailure");
  const std::string why = failure && failure->is_true() ? ": " + failure->text() : "";
  if (available < want) return progressing(of(available, want, "replica", "available") + why);
  if (number_at(object, {"status", "replicas"}) > want)
    return progressing("replicas that are too many are not gone yet");
  return ready(of(available, want, "replica", "available"));
}

// kstatus takes a Job for done once it has started, and when it is suspended. What comes after a
// Job needs what the Job does.
Readiness job(const json::value& object) {
  if (auto done = condition_of(object, "Complete"); done && done->is_true())
    return ready("it is complete");
  for (const char* type : {"Failed", "FailureTarget"}) {
    if (auto failure = condition_of(object, type); failure && failure->is_true())
      return failed("it failed: " + failure->text());
  }
  if (flag_at(object, {"spec", "suspend"})) return progressing("it is suspended");
  const int64_t want = number_at(object, {"spec", "completions"}, 1);
  std::string text = of(number_at(object, {"status", "succeeded"}), want, "completion");
  const int64_t failures = number_at(object, {"status", "failed"});
  if (failures > 0) text += ", " + count_of(static_cast<size_t>(failures), "failed pod");
  return progressing(text);
}

Readiness cron_job(const json::value& object) {
  return ready(flag_at(object, {"spec", "suspend"}) ? "it is suspended" : "it is scheduled");
}

// kstatus gives a crash loop and a pod without a node up after seconds. In a bring-up both pass:
// what the pod needs comes later. The stage's deadline bounds them.
Readiness pod(const json::value& object) {
  const std::string phase = text_at(object, {"status", "phase"}, "Pending");
  if (phase == "Succeeded") return ready("it has succeeded");
  if (phase == "Failed") {
    std::string why = text_at(object, {"status", "message"}, text_at(object, {"status", "reason"}));
    if (why.empty()) why = pod_trouble(object);
    return failed("it has failed" + (why.empty() ? "" : ": " + why));
  }
  if (auto state = condition_of(object, "Ready"); state && state->is_true())
    return ready("it is ready");
  const std::string trouble = pod_trouble(object);
  if (!trouble.empty()) return progressing(trouble);
  if (auto begun = condition_of(object, "Initialized"); begun && begun->is_false())
    return progressing("it is not initialized: " + begun->text());
  if (phase != "Running") return progressing("it is " + phase);
  auto state = condition_of(object, "Ready");  // names the readiness gates that are missing
  return progressing("it is running but not ready" +
                     (state && !state->message.empty() ? ": " + state->message : ""));
}

}  // namespace

ReadinessRule workload_rule(std::string_view group, std::string_view kind) {
  if (group == "apps") {
    if (kind == "Deployment") return deployment;
    if (kind == "StatefulSet") return stateful_set;
    if (kind == "DaemonSet") return daemon_set;
    if (kind == "ReplicaSet") return replica_set;
  }
  if (group == "batch") {
    if (kind == "Job") return job;
    if (kind == "CronJob") return cron_job;
  }
  if (group.empty()) {
    if (kind == "Pod") return pod;
    if (kind == "ReplicationController") return replica_set;
  }
  return nullptr;
}

}  // namespace blackstart::kube

// Sets of objects: what would change, and changing it, in layers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/kube/client.h"
#include "orchestrator/kube/object.h"

namespace blackstart::kube {

enum class Presence { kSame, kAbsent, kDiffers };

/// How one wanted object stands in the cluster.
struct ObjectState {
  ObjectRef ref;
  Presence presence = Presence::kAbsent;
  std::vector<std::string> fields;  // what differs, ".spec.replicas"; a few of them
  boost::json::value live;          // null when absent
  /// What the server says to a dry run of what is wanted; a conflict only when nothing else is in
  /// the way once it is forced.
  std::optional<ApiError> refusal;
};

/// Compares without writing: one LIST per kind and namespace (a GET for few), then the wanted
/// fields beside those that `field_manager` owns in managedFields and their live values. What is
/// not provably the same (a normalised quantity, a defaulted list key) is tried on the server as a
/// dry run, so that kSame and kDiffers are exact; where it cannot be tried, kDiffers. A kind that
/// the server does not know yet is absent. Objects of `manifests` without a namespace get
/// `default_namespace` when their kind is namespaced. In the order of `manifests`.
Task<std::vector<ObjectState>> compare(Client& client, const Manifests& manifests,
                                       std::string default_namespace, std::string field_manager);

struct ApplySetOptions {
  ApplySetOptions() = default;  // not an aggregate: see ObjectRef
  std::string field_manager = "blackstart";
  std::string default_namespace = "default";
  bool force = false;  // takes over fields that others own
  /// Requests under way. A busy API server queues them by its priority and fairness
  /// (kubernetes.io: "API Priority and Fairness").
  size_t concurrency = 64;
  std::function<void(const ObjectRef&)> on_applied;  // may be empty
  /// Told of each field that was taken from another manager by force; may be empty.
  std::function<void(const ObjectRef&, const FieldConflict&)> on_taken_over;
};

/// Applies in layers: namespaces; CRDs, then waits until each is Established and discovers again;
/// what pods are refused without (service accounts, priority classes); the rest; at last what makes
/// the API server ask others (webhook configurations, APIServices), which would refuse the rest
/// until their own pods run. Concurrent within a layer. Throws after the whole layer was tried,
/// with every object's error as a cause, and with what is in the way: a webhook that cannot be
/// called, what holds a namespace that is being deleted. Stops early when nobody answers any more.
Task<void> apply_set(Client& client, const Manifests& manifests, ApplySetOptions options);

/// Waits until a CustomResourceDefinition is Established; throws when its names are not accepted.
Task<void> wait_established(Client& client, std::string name);

/// Told what waits for which finalizers ("a.io/b, c.io/d").
using HeldUp = std::function<void(const ObjectRef&, const std::string& finalizers)>;

/// Removes objects, given as they were seen in the cluster, in reverse order of layers, and waits
/// until each is gone. One that is gone already is fine, and another one that has its name since is
/// left. What is not gone within ten minutes is an error that names the finalizers which hold it;
/// `on_held` (may be empty) is told of them at once.
/// `come_again`: they are removed to be made anew, so a StatefulSet's pods and claims stay.
Task<void> remove_set(Client& client, Manifests live, HeldUp on_held = {}, bool come_again = false);

/// Sets the namespace of namespaced objects that name none, and takes it from cluster-scoped ones
/// (the server ignores it there). A kind that the server does not know takes its scope from its
/// CRD, when that is among `manifests`.
Task<Manifests> with_namespace(Client& client, Manifests manifests, std::string name_space);

}  // namespace blackstart::kube

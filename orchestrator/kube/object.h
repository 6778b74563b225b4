// Kubernetes objects are JSON; these are the few things everybody asks of one.
#pragma once

#include <boost/json/value.hpp>
#include <compare>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orchestrator/base/place.h"

namespace blackstart::kube {

/// Names one object, or with an empty name a kind.
///
/// Not an aggregate, as all here that is passed to coroutines by value: g++ 12 destroys a temporary
/// that was made from braces within a co_await expression twice. (Closures too: name them first.)
struct ObjectRef {
  ObjectRef() = default;
  ObjectRef(std::string api_version_, std::string kind_, std::string name_space_, std::string name_)
      : api_version(std::move(api_version_)),
        kind(std::move(kind_)),
        name_space(std::move(name_space_)),
        name(std::move(name_)) {}

  std::string api_version;  // "apps/v1"
  std::string kind;
  std::string name_space;  // empty for cluster-scoped objects
  std::string name;

  /// "Deployment argocd/argocd-server", "Namespace argocd".
  std::string to_string() const;
  std::string group() const;  // "apps", "" for the core group
  /// For comparing: the same object has one of these, whatever version of its group it is written
  /// in.
  ObjectRef without_version() const;
  auto operator<=>(const ObjectRef&) const = default;
};

ObjectRef ref_of(const boost::json::value& object);

/// The value at a path of keys, or null. `at(object, {"spec", "replicas"})`.
const boost::json::value* find(const boost::json::value& object,
                               std::initializer_list<std::string_view> path);
/// The same as a string, number or boolean, with a fallback for "not there" and "another type".
std::string text_at(const boost::json::value& object, std::initializer_list<std::string_view> path,
                    std::string_view fallback = {});
int64_t number_at(const boost::json::value& object, std::initializer_list<std::string_view> path,
                  int64_t fallback = 0);
bool flag_at(const boost::json::value& object, std::initializer_list<std::string_view> path,
             bool fallback = false);

/// The list at a path; an empty one when there is none.
const boost::json::array& list_at(const boost::json::value& object,
                                  std::initializer_list<std::string_view> path);

/// What is sent and compared: without the fields that only the server may set (managedFields,
/// resourceVersion, uid, generation, creationTimestamp, deletionTimestamp, selfLink: a manifest
/// exported from an earlier cluster brings them, and kubectl would send them, which the server
/// refuses), and a Secret's stringData as the data that the server makes of it. The status stays:
/// kinds without a status subresource keep plain data there, all others ignore it.
boost::json::value desired_form(boost::json::value object);

/// An object to be applied and where it was written.
struct Manifest {
  boost::json::value object;
  Place place;
  ObjectRef ref() const { return ref_of(object); }
};

using Manifests = std::vector<Manifest>;

}  // namespace blackstart::kube

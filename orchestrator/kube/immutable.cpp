#include "orchestrator/kube/immutable.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr size_t kShownValue = 80;
constexpr size_t kShownFields = 5;

// The words of Kubernetes' validation (pkg/apis/*/validation) for what an update may not do.
constexpr const char* kWords[] = {
    "is immutable",                     // "field is immutable", "spec is immutable after creation"
    "may not change once set",          // Service clusterIP
    "cannot change roleRef",            // RoleBinding
    "may not be changed in an update",  // PriorityClass
    "pod updates may not change",       // Pod
};

bool says_immutable(const std::string& message) {
  if (std::ranges::any_of(kWords,
                          [&](const char* words) { return message.find(words) != message.npos; }))
    return true;
  // "updates to provisioner are forbidden", "updates to statefulset spec for fields other than …"
  const size_t at = message.find("updates to ");
  return at != message.npos && message.find(" forbidden", at) != message.npos;
}

std::string shown(const json::value* value) {
  if (!value) return "not there";
  std::string text = json::serialize(*value);
  if (text.size() > kShownValue) text.replace(kShownValue, text.npos, "…");
  return text;
}

struct Change {
  std::string path;
  const json::value* live;
  const json::value* wanted;
};

// What is wanted and not so; lists item by item, as far as both go.
std::optional<Change> first_change(const json::value* live, const json::value& wanted,
                                   const std::string& path) {
  if (live && *live == wanted) return std::nullopt;
  if (live && live->is_object() && wanted.is_object()) {
    for (const auto& [key, value] : wanted.get_object()) {
      std::string below = path.empty() ? std::string(key) : path + "." + std::string(key);
      if (auto found = first_change(live->get_object().if_contains(key), value, below))
        return found;
    }
    return std::nullopt;  // all that is wanted is so: the rest is the server's
  }
  if (live && live->is_array() && wanted.is_array()) {
    const auto& items = wanted.get_array();
    for (size_t i = 0; i < items.size() && i < live->get_array().size(); ++i) {
      std::string below = path + "[" + std::to_string(i) + "]";
      if (auto found = first_change(&live->get_array()[i], items[i], below)) return found;
    }
    if (items.size() <= live->get_array().size()) return std::nullopt;
  }
  return Change{path, live, &wanted};
}

const json::value* below(const json::value* object, const std::string& key) {
  const json::object* fields = object ? object->if_object() : nullptr;
  return fields ? fields->if_contains(key) : nullptr;
}

std::string hint_for(const ObjectRef& ref) {
  if (holds_more_than_itself(ref))
    return "it holds data, so it is never deleted to be made again: make another one beside it, "
           "move what it holds, then remove this one";
  const auto kinds = recreatable_kinds();
  const bool listed = std::ranges::find(kinds, ref.kind, [](const char* kind) {
                        return std::string_view(kind);
                      }) != kinds.end();
  if (listed)
    return "keep the old value, give the object another name, or let it be deleted and made again "
           "with `recreate: [" +
           ref.kind + "]` on a stage of kube.manifests";
  return "keep the old value, or delete the object and apply again";
}

}  // namespace

std::vector<std::string> immutable_fields(const ApiError& error) {
  std::vector<std::string> fields;
  if (error.status() != 422 && error.status() != 403) return fields;
  for (const FieldRefusal& refusal : error.refusals())
    if (says_immutable(refusal.message)) fields.push_back(refusal.field);
  return fields;
}

std::string change_of(const json::value& live, const json::value& wanted, std::string_view field) {
  if (text_at(wanted, {"kind"}) == "Secret") return std::string(field) + " would change";
  const json::value* ours = &wanted;
  const json::value* theirs = &live;
  std::string path;
  for (const std::string& key : split(field.substr(0, field.find('[')), '.')) {
    const json::value* next = below(ours, key);
    if (!next) break;  // said of more than was written: "spec.persistentvolumesource"
    ours = next;
    theirs = below(theirs, key);
    path += (path.empty() ? "" : ".") + key;
  }
  const auto change = first_change(theirs, *ours, path);
  if (!change) return std::string(field) + " would change";
  return change->path + " is " + shown(change->live) + ", wanted is " + shown(change->wanted);
}

std::span<const char* const> recreatable_kinds() {
  static constexpr const char* kKinds[] = {
      "Job",    "Deployment", "StatefulSet", "DaemonSet",          "Pod",          "Service",
      "Secret", "ConfigMap",  "RoleBinding", "ClusterRoleBinding", "StorageClass", "PriorityClass"};
  return kKinds;
}

bool holds_more_than_itself(const ObjectRef& ref) {
  const std::string group = ref.group();
  if (group == "apiextensions.k8s.io") return ref.kind == "CustomResourceDefinition";
  return group.empty() && (ref.kind == "Namespace" || ref.kind == "PersistentVolume" ||
                           ref.kind == "PersistentVolumeClaim");
}

Error cannot_change(const ApiError& error, const std::vector<std::string>& fields,
                    const json::value& live, const json::value& wanted) {
  Error said(ErrorClass::kPermanent, error.summary());
  said.because(fields.size() == 1 ? "a field of it cannot be changed once it is there"
                                  : "fields of it cannot be changed once it is there");
  for (size_t i = 0; i < fields.size() && i < kShownFields; ++i)
    said.because(change_of(live, wanted, fields[i]));
  return said.hint(hint_for(ref_of(wanted)));
}

}  // namespace blackstart::kube

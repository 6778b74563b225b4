// What a simulated API server holds: objects by kind, their history, and what it knows to serve.
#pragma once

#include <boost/json/value.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/kube/object.h"
#include "tests/simulation/outside/managed.h"
#include "tests/simulation/world/sim_clock.h"

namespace blackstart::sim {

struct ServedKind {
  std::string group;  // "" for the core group
  std::string version;
  std::string kind;
  std::string plural;
  bool namespaced = true;

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
};

/// An answer of the API: the object, or a Status.
struct ApiAnswer {
  int status = 200;
  boost::json::value body;
  bool ok() const { return status < 300; }
};

struct ApiEvent {
  uint64_t version = 0;
  std::string type;  // "ADDED", "MODIFIED", "DELETED"
  std::string collection;
  boost::json::value object;
};

class ApiStore {
 public:
  /// `identity` tells this cluster from others: it is the UID of kube-system.
  ApiStore(SimClock& clock, std::string identity);

  const std::vector<ServedKind>& kinds() const { return kinds_; }
  const ServedKind* kind_of(const std::string& api_version, const std::string& kind) const;
  const ServedKind* kind_at(const std::string& group, const std::string& version,
                            const std::string& plural) const;

  struct ApplyRequest {
    std::string manager;
    bool force = false;
    bool dry_run = false;
  };
  ApiAnswer apply(const boost::json::value& object, const ApplyRequest& request);
  ApiAnswer patch(const kube::ObjectRef& ref, const boost::json::value& patch,
                  const std::string& manager);
  ApiAnswer remove(const kube::ObjectRef& ref);
  /// By a controller, as the status subresource: no field of the object itself changes.
  void set_status(const kube::ObjectRef& ref, boost::json::object status);

  const boost::json::value* find(const kube::ObjectRef& ref) const;
  std::vector<boost::json::value> list(const ServedKind& kind, const std::string& name_space) const;
  /// All objects, by "group/plural/namespace/name".
  const std::map<std::string, boost::json::value>& all() const { return shown_; }

  /// Something that happens in this cluster after a while, if it still exists then.
  void later(Duration after, std::function<void()> event);

  uint64_t version() const { return version_; }
  const std::deque<ApiEvent>& history() const { return history_; }
  /// A watch that saw this version or a later one can go on.
  uint64_t oldest() const { return oldest_; }
  /// Forgets the history, as etcd's compaction does.
  void compact();
  /// Called after each change, outside controllers first.
  std::vector<std::function<void(const ApiEvent&)>> on_change;
  /// Changes by anybody, but for statuses.
  int writes() const { return writes_; }

  static ApiAnswer refusal(int code, const std::string& reason, const std::string& message);

 private:
  std::string key_of(const ServedKind& kind, const std::string& name_space,
                     const std::string& name) const;
  std::optional<ApiAnswer> reason_to_refuse(const ServedKind* kind,
                                            const kube::ObjectRef& ref) const;
  ApiAnswer store(const ServedKind& kind, const std::string& key, Managed next,
                  const ApplyRequest& request);
  std::string now() const;
  boost::json::value show(const ServedKind& kind, const std::string& key) const;
  void announce(const std::string& type, const ServedKind& kind, boost::json::value object);
  void serve_definition(const boost::json::value& definition);

  SimClock& clock_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::string identity_;
  std::vector<ServedKind> kinds_;
  std::map<std::string, Managed> objects_;
  std::map<std::string, boost::json::object> system_;  // uid, creation, generation, status
  std::map<std::string, boost::json::value> shown_;
  std::deque<ApiEvent> history_;
  uint64_t version_ = 1;
  uint64_t oldest_ = 1;
  int uids_ = 0;
  int writes_ = 0;
};

}  // namespace blackstart::sim

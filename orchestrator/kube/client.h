// One API server, spoken to natively: requests, retries, discovery, identity.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orchestrator/kube/api_error.h"
#include "orchestrator/kube/kubeconfig.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/world/world.h"

namespace blackstart::kube {

/// A resource as discovery names it.
struct Resource {
  std::string api_version;  // "apps/v1"
  std::string kind;
  std::string plural;  // "deployments"
  bool namespaced = true;
};

/// All that the server serves, in all versions.
struct Kinds {
  std::vector<Resource> resources;
  std::vector<std::string> silent;  // groups and versions that are listed but could not be asked
};

/// What tells one cluster from another: never equal for two clusters.
struct Identity {
  std::string uid;        // of the namespace kube-system
  std::string ca_digest;  // SHA-256 of the CA that we trust for it, "" when that is the system's
  std::string to_string() const;  // one line for the journal; compared as a whole
  bool operator==(const Identity&) const = default;
};

/// What becomes of the objects that a deleted one owns: they go after it, or stay without an owner
/// until somebody adopts them.
enum class Dependents { kGo, kStay };

/// Talks to one API server. Every call throws ApiError with the server's own words (Status.message
/// and causes) and a class that says whether to try again; short-lived trouble (429, 503, resets of
/// requests that are safe to repeat) has been retried already, within the caller's deadline.
/// Loop-confined; outlives all its tasks.
class Client {
 public:
  Client(World& world, Endpoint endpoint);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const Endpoint& endpoint() const;
  World& world();

  /// GET of an absolute path ("/api/v1/nodes"); nullopt = 404.
  Task<std::optional<boost::json::value>> get_path(std::string path);
  Task<std::optional<boost::json::value>> get(ObjectRef ref);
  /// All objects of a kind, in one namespace or (empty) all, page by page; `resource_version`
  /// receives the list's. A kind that the server does not know gives nullopt.
  struct List {
    std::vector<boost::json::value> items;
    std::string resource_version;
  };
  Task<std::optional<List>> list(std::string api_version, std::string kind, std::string name_space,
                                 std::string label_selector = {});

  /// The same of a collection's path (path_of with an empty name) and a query ("fieldSelector=…").
  Task<List> list_path(std::string path, std::string query);

  struct ApplyOptions {
    ApplyOptions() = default;
    explicit ApplyOptions(std::string manager, bool forced = false, bool dry = false)
        : field_manager(std::move(manager)), force(forced), dry_run(dry) {}
    std::string field_manager = "blackstart";
    bool force = false;    // takes over fields that others own
    bool dry_run = false;  // the server judges, nothing is stored
  };
  /// Server-side apply; returns the object as stored. A conflict throws Error(kConflict) whose
  /// causes name each field and its manager.
  Task<boost::json::value> apply(boost::json::value object, ApplyOptions options);
  /// Merge patch; for annotations and status-like nudges.
  Task<boost::json::value> merge_patch(ObjectRef ref, boost::json::value patch);
  /// Only the object of this uid, so that repeating it never takes another one of the same name
  /// (empty: whichever is there). False when it was gone already.
  Task<bool> remove(ObjectRef ref, std::string uid = {}, Dependents dependents = Dependents::kGo);

  /// Where objects of a kind live; discovers on first use, again when the kind is unknown.
  /// nullopt: the server does not know it.
  Task<std::optional<Resource>> resource(std::string api_version, std::string kind);
  Task<Kinds> kinds();
  void forget_discovery();  // after CRDs have changed

  Task<Identity> identity();
  /// gitVersion of the API server, "v1.36.3".
  Task<std::string> server_version();
  /// True when /readyz says so; a server that does not answer is false, with the reason.
  Task<bool> is_ready(std::string* reason);
  /// The tail of a container's log; empty when there is none.
  Task<std::string> log_tail(ObjectRef pod, std::string container, bool previous, int lines);

  /// What the server warned of since the last call: deprecated versions, unknown fields. Each once.
  std::vector<std::string> take_warnings();

  /// One watch request; `on_line` gets each frame (one JSON object). Ends when the server ends it;
  /// throws Error(kTransient) after `longest`, and when not even bookmarks come any more. Informer
  /// (watch.h) does the resuming.
  Task<void> stream(std::string path_and_query, Duration longest,
                    std::function<void(std::string_view)> on_line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "/apis/apps/v1/namespaces/argocd/deployments/argocd-server", name and namespace optional.
std::string path_of(const Resource& resource, std::string_view name_space, std::string_view name);

}  // namespace blackstart::kube

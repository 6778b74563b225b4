// The current state of some kinds, kept up to date: list, then watch, resuming whatever happens.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/kube/client.h"
#include "orchestrator/world/async.h"

namespace blackstart::kube {

/// What to look at.
struct Selection {
  Selection() = default;  // not an aggregate: see ObjectRef
  Selection(std::string api_version_, std::string kind_, std::string name_space_ = {},
            std::string name_ = {}, std::string label_selector_ = {})
      : api_version(std::move(api_version_)),
        kind(std::move(kind_)),
        name_space(std::move(name_space_)),
        name(std::move(name_)),
        label_selector(std::move(label_selector_)) {}

  std::string api_version;
  std::string kind;
  std::string name_space;      // empty = all
  std::string name;            // empty = all
  std::string label_selector;  // empty = all
};

/// Keeps the objects of a selection in memory. Resumes after a dropped connection from the last
/// bookmark; relists after 410 (as status and as in-stream error) and after a watch that was silent
/// for more than a minute; tolerates a kind that does not exist yet or no more (looks again by
/// itself, at growing intervals of at most 5 s). No transition between two looks is announced
/// twice.
class Informer {
 public:
  Informer(Client& client, Selection selection);
  ~Informer();  // only after stop()
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;

  /// Lists once and starts the watch in the background. Throws as Client::list does; may be called
  /// again then.
  Task<void> start();
  Task<void> stop();

  bool known() const;  // the server knows the kind
  /// In order of namespace and name; pointers hold until the next suspension of the caller.
  std::vector<const boost::json::value*> items() const;
  const boost::json::value* find(const std::string& name_space, const std::string& name) const;
  /// Completes when anything has changed since the last call of changed() or start().
  Task<void> changed();
  /// Why the view may be old ("the watch was refused: …"); empty when it is current.
  std::string trouble() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Watches the one object that `selection` names until `satisfied` (which gets null while there is
/// none, and may throw) says so. Past `limit` throws Error(kDeadline, what).
Task<void> watch_until(Client& client, Selection selection, Duration limit, std::string what,
                       std::function<bool(const boost::json::value*)> satisfied);

}  // namespace blackstart::kube

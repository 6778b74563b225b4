// Why something that is being deleted is still there.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/kube/client.h"

namespace blackstart::kube {

/// What holds an object that is being deleted, from the object alone: what a namespace's conditions
/// say (the kinds and finalizers that remain, with their counts, and what could not be looked
/// into), and finalizers of its own. A sentence each.
std::vector<std::string> blockers_of(const boost::json::value& object);

/// The same of a namespace by its name, and the APIServices that are not available when discovery
/// fails because of them. Empty when the namespace is not being deleted or cannot be read. Never
/// throws but when cancelled.
Task<std::vector<std::string>> why_terminating(Client& client, std::string name_space);

}  // namespace blackstart::kube

// What the status of an Argo CD Application says of the resources that it syncs.
#pragma once

#include "orchestrator/kube/object.h"

namespace blackstart::kube {

/// The object that an entry of status.resources or of a sync's result is about: these name group
/// and version apart.
ObjectRef ref_of_resource(const boost::json::value& resource);

/// What the last or running sync did to each resource, hooks among them.
const boost::json::array& sync_results(const boost::json::value& application);

/// Was the resource refused, or did the hook fail?
bool failed_to_sync(const boost::json::value& result);

}  // namespace blackstart::kube

// What the status of an Argo CD Application says.
#pragma once

#include <string_view>

#include "orchestrator/kube/object.h"

namespace blackstart::kube {

/// The object that an entry of status.resources or of a sync's result is about: these name group
/// and version apart.
ObjectRef ref_of_resource(const boost::json::value& resource);

/// What the last or running sync did to each resource, hooks among them.
const boost::json::array& sync_results(const boost::json::value& application);

/// Was the resource refused, or did the hook fail?
bool failed_to_sync(const boost::json::value& result);

/// Does a condition of this type say that Argo CD cannot go on with an Application as it is
/// written?
bool breaks_application(std::string_view condition);

/// Was what an Application asks for now compared with the cluster? As Argo CD's own
/// specEqualsCompareTo has it.
bool is_compared(const boost::json::value& application);

}  // namespace blackstart::kube

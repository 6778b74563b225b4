// What an object names, and cannot be ready without.
#pragma once

#include <vector>

#include "orchestrator/kube/object.h"

namespace blackstart::kube {

/// The objects that `object` refers to: a Pod's claims, ConfigMaps and Secrets, a claim's
/// StorageClass, a route's Gateways and Services, a Certificate's issuer, an ExternalSecret's
/// store, and the like. Pure; optional ones are left out; each once; at most a handful.
std::vector<ObjectRef> references_of(const boost::json::value& object);

}  // namespace blackstart::kube

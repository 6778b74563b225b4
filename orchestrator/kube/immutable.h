// Changes that the API server refuses for good: fields that stay as the object was made with.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/kube/api_error.h"
#include "orchestrator/kube/client.h"

namespace blackstart::kube {

/// The fields for which the server refused a change because they never change ("spec.template",
/// "roleRef", "spec"); empty when it refused for another reason. Kubernetes has no reason code for
/// it: its validation's own words tell.
std::vector<std::string> immutable_fields(const ApiError& error);

/// Where `wanted` first differs from `live` at or below `field`, with both values:
/// 'spec.template.spec.containers[0].image is "a:1", wanted is "a:2"'. Of a Secret the field alone.
std::string change_of(const boost::json::value& live, const boost::json::value& wanted,
                      std::string_view field);

/// Kinds that may be deleted and made again without losing data: all state of theirs is elsewhere,
/// or is made anew.
std::span<const char* const> recreatable_kinds();
/// Kinds whose removal takes data, or things of others, with it.
bool holds_more_than_itself(const ObjectRef& ref);

/// As the apply of `wanted` was refused with `error` for its immutable `fields`: names each with
/// its value and the wanted one, and says what to do.
Error cannot_change(const ApiError& error, const std::vector<std::string>& fields,
                    const boost::json::value& live, const boost::json::value& wanted);

}  // namespace blackstart::kube

// Whose fields are they: the server's record of ownership, walked beside a wanted object.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace blackstart::kube {

/// Where `live` is not provably what applying `desired` (in its desired_form) as `field_manager`
/// would make of it: fields that we do not own, own but no longer want, or whose value is another;
/// empty = applying would change nothing. Errs on the side of naming a field: what the server
/// normalises or defaults looks different here. At most `limit` fields, ".spec.replicas".
std::vector<std::string> unproven_fields(const boost::json::value& desired,
                                         const boost::json::value& live,
                                         std::string_view field_manager, size_t limit);

/// Where two readings of one object differ in what people care about: all but versions, time stamps
/// of managers and (unless `with_status`) the status. Exact.
std::vector<std::string> changed_fields(const boost::json::value& before,
                                        const boost::json::value& after, bool with_status,
                                        size_t limit);

}  // namespace blackstart::kube

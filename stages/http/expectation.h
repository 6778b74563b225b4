// What an answer must be to count as "yes".
#pragma once

#include <boost/json/value.hpp>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/plan/schema.h"
#include "orchestrator/plan/value.h"
#include "orchestrator/world/http.h"
#include "stages/http/json_path.h"

namespace blackstart::stages::http {

/// What an answer says about what was expected of it.
struct Verdict {
  enum class Kind {
    kMet,
    kNotMet,
    kUnclear,  // the server could not say: it is overloaded, broken, or does not let us ask
  };
  Kind kind = Kind::kMet;
  std::string reason;  // "it answers 503 instead of 200"
};

class Expectation {
 public:
  /// `value`: the option `expect`, or null for "any 2xx". Throws Error(kUsage) at its place.
  explicit Expectation(const plan::Value* value);
  Verdict judge(const HttpResponse& response) const;

 private:
  struct Field {
    std::string text;  // of the path
    JsonPath path;
    boost::json::value wanted;
    bool sensitive = false;
  };
  bool wants(int status) const;
  std::string wanted_status() const;

  std::set<int> statuses_;  // empty = any 2xx
  std::vector<Field> fields_;
};

/// The option `expect`.
plan::OptionSpec expect_option();

}  // namespace blackstart::stages::http

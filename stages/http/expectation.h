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
    kAbsent,   // there is no such thing
    kDiffers,  // there is, and not as expected
    kUnclear,  // it says neither: the server is overloaded, wants another login, has moved
  };
  Kind kind = Kind::kMet;
  std::string reason;  // "it answers 503 instead of 200"
};

class Expectation {
 public:
  /// `value`: the option `expect`; null = any 2xx, and for DELETE also that there is nothing.
  /// Throws Error(kUsage) at the place of what is wrong with it.
  Expectation(const plan::Value* value, const std::string& method);
  Verdict judge(const HttpResponse& response) const;

 private:
  struct Field {
    std::string text;  // of the path
    JsonPath path;
    boost::json::value wanted;  // null: not there, or null
    bool sensitive = false;
  };
  void read_statuses(const plan::Value& statuses);
  bool wants(int status) const;
  std::string wanted_status() const;
  Verdict judge_fields(const std::string& body) const;

  bool gone_is_fine_ = false;
  std::set<int> statuses_;  // empty = any 2xx
  std::vector<Field> fields_;
};

/// The option `expect`.
plan::OptionSpec expect_option();

}  // namespace blackstart::stages::http

#include "orchestrator/events/event.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace blackstart::events {
namespace {

boost::json::value json_of(const std::string& field) { return boost::json::string(field); }
boost::json::value json_of(int64_t field) { return field; }
boost::json::value json_of(bool field) { return field; }
boost::json::value json_of(const std::vector<std::string>& field) {
  return boost::json::array(field.begin(), field.end());
}

}  // namespace

const char* type_of(const Payload& payload) {
  return std::visit([](const auto& fields) { return fields.kType; }, payload);
}

std::string to_json_line(const Event& event) {
  boost::json::object object;
  object["schema"] = kSchema;
  object["seq"] = event.sequence;
  object["ts"] = format_utc(event.time);
  object["type"] = type_of(event.payload);
  visit_fields(event.payload,
               [&object](const char* name, const auto& field) { object[name] = json_of(field); });
  return boost::json::serialize(object);
}

bool is_word(std::string_view field) {
  static constexpr std::array<std::string_view, 13> kWords = {
      "run",    "command", "version",  "stage",       "uses",        "state", "action",
      "result", "stream",  "severity", "error_class", "environment", "plan"};
  return std::ranges::find(kWords, field) != kWords.end();
}

std::string clean_text(const Redactor& redactor, const Error& error) {
  Error cleaned(error.error_class(), redactor.clean_wrapped(error.summary()));
  for (const std::string& cause : error.causes()) cleaned.because(redactor.clean_wrapped(cause));
  return cleaned.full_text();
}

Notice notice_of(const Error& error, std::string stage) {
  return {.severity = "error",
          .stage = std::move(stage),
          .place = error.place().to_string(),
          .message = error.summary(),
          .causes = error.causes(),
          .hint = error.hint()};
}

}  // namespace blackstart::events

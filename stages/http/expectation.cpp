#include "stages/http/expectation.h"

#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>

#include "orchestrator/kube/json.h"

namespace blackstart::stages::http {
namespace {

constexpr size_t kShownLength = 200;

JsonPath read_path(const std::string& text, const Place& place) {
  try {
    return JsonPath(text);
  } catch (const std::invalid_argument& error) {
    throw Error(ErrorClass::kUsage, std::string("this is no JSON path: ") + error.what())
        .at(place)
        .hint("write it like .data.items[0].name");
  }
}

std::string shown(const boost::json::value* value) {
  if (!value) return "is not there";
  std::string text = boost::json::serialize(*value);
  if (text.size() > kShownLength) text = text.substr(0, kShownLength) + "…";
  return "is " + text;
}

bool is_unclear(int status) {
  return status == 401 || status == 403 || status == 408 || status == 429 || status >= 500;
}

}  // namespace

Expectation::Expectation(const plan::Value* value) {
  if (!value) return;
  if (const plan::Value* statuses = value->given("status")) {
    for (const plan::Value& status : statuses->as_list()) {
      const int64_t code = status.as_integer();
      if (code < 100 || code > 599)
        throw Error(ErrorClass::kUsage, "this is no HTTP status: " + std::to_string(code))
            .at(status.place);
      statuses_.insert(static_cast<int>(code));
    }
  }
  const plan::Value* fields = value->given("json");
  if (!fields) return;
  for (const auto& [path, wanted] : fields->as_map())
    fields_.push_back({path, read_path(path, wanted.key_place), wanted.to_json(),
                       wanted.sensitive || fields->sensitive});
}

bool Expectation::wants(int status) const {
  return statuses_.empty() ? status / 100 == 2 : statuses_.contains(status);
}

std::string Expectation::wanted_status() const {
  if (statuses_.empty()) return "2xx";
  std::vector<std::string> texts;
  for (const int status : statuses_) texts.push_back(std::to_string(status));
  return join(texts, " or ");
}

Verdict Expectation::judge(const HttpResponse& response) const {
  if (!wants(response.status))
    return {is_unclear(response.status) ? Verdict::Kind::kUnclear : Verdict::Kind::kNotMet,
            "it answers " + std::to_string(response.status) + " instead of " + wanted_status()};
  if (fields_.empty())
    return {Verdict::Kind::kMet, "it answers " + std::to_string(response.status)};
  boost::json::value document;
  try {
    document = kube::parse_json(response.body);
  } catch (const boost::system::system_error& error) {
    return {Verdict::Kind::kNotMet, "its answer is no JSON: " + error.code().message()};
  }
  for (const Field& field : fields_) {
    const boost::json::value* found = field.path.find(document);
    if (found && kube::same_value(*found, field.wanted)) continue;
    const std::string seen =
        field.sensitive ? "is not as wanted"
                        : shown(found) + ", wanted: " + boost::json::serialize(field.wanted);
    return {Verdict::Kind::kNotMet, field.text + " " + seen};
  }
  return {Verdict::Kind::kMet, "it answers as expected"};
}

plan::OptionSpec expect_option() {
  using plan::OptionType;
  return {
      .name = "expect",
      .type = OptionType::kMap,
      .summary = "what the answer must be; default: any 2xx",
      .fields = {
          {.name = "status",
           .type = OptionType::kList,
           .summary = "one of these HTTP statuses",
           .fields = {{.name = "code", .type = OptionType::kInteger, .summary = "HTTP status"}},
           .not_empty = true},
          {.name = "json",
           .type = OptionType::kMap,
           .summary = "values that the answer's JSON must have, by path: "
                      "'.data.items[0].state': ready",
           .fields = {{.name = plan::kAnyKey, .type = OptionType::kAny, .summary = "the value"}}}}};
}

}  // namespace blackstart::stages::http

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
  const std::string text = boost::json::serialize(*value);
  if (text.size() <= kShownLength) return "is " + text;
  return "is another value, of " + count_of(text.size(), "byte");
}

bool is_gone(int status) { return status == 404 || status == 410; }

Verdict::Kind kind_of(int status) {
  if (is_gone(status)) return Verdict::Kind::kAbsent;
  return status / 100 == 2 ? Verdict::Kind::kDiffers : Verdict::Kind::kUnclear;
}

}  // namespace

Expectation::Expectation(const plan::Value* value, const std::string& method)
    : gone_is_fine_(!value && method == "DELETE") {
  if (!value) return;
  if (const plan::Value* statuses = value->given("status")) read_statuses(*statuses);
  const plan::Value* fields = value->given("json");
  if (!fields) return;
  if (method == "HEAD")
    throw Error(ErrorClass::kUsage, "an answer to HEAD has no JSON").at(fields->place);
  for (const auto& [path, wanted] : fields->as_map())
    fields_.push_back({path, read_path(path, wanted.key_place), wanted.to_json(),
                       fields->sensitive || wanted.first_sensitive() != nullptr});
}

void Expectation::read_statuses(const plan::Value& statuses) {
  for (const plan::Value& status : statuses.as_list()) {
    const int64_t code = status.as_integer();
    if (code < 100 || code > 599)
      throw Error(ErrorClass::kUsage, "this is no HTTP status: " + std::to_string(code))
          .at(status.place);
    statuses_.insert(static_cast<int>(code));
  }
}

bool Expectation::wants(int status) const {
  if (gone_is_fine_ && is_gone(status)) return true;
  return statuses_.empty() ? status / 100 == 2 : statuses_.contains(status);
}

std::string Expectation::wanted_status() const {
  if (statuses_.empty()) return "2xx";
  std::vector<std::string> texts;
  for (const int status : statuses_) texts.push_back(std::to_string(status));
  return join(texts, " or ");
}

Verdict Expectation::judge(const HttpResponse& response) const {
  const std::string answers = "it answers " + std::to_string(response.status);
  if (!wants(response.status))
    return {kind_of(response.status), answers + " instead of " + wanted_status()};
  return fields_.empty() ? Verdict{Verdict::Kind::kMet, answers} : judge_fields(response.body);
}

Verdict Expectation::judge_fields(const std::string& body) const {
  boost::json::value document;
  try {
    document = kube::parse_json(body);
  } catch (const boost::system::system_error& error) {
    return {Verdict::Kind::kUnclear, "its answer is no JSON: " + error.code().message()};
  }
  for (const Field& field : fields_) {
    const boost::json::value* found = field.path.find(document);
    const bool same = found ? kube::same_value(*found, field.wanted) : field.wanted.is_null();
    if (same) continue;
    // What stands there instead of a secret may be one that we know nothing of.
    if (field.sensitive) return {Verdict::Kind::kDiffers, field.text + " is not as wanted"};
    return {Verdict::Kind::kDiffers,
            field.text + " " + shown(found) + ", wanted: " + boost::json::serialize(field.wanted)};
  }
  return {Verdict::Kind::kMet, "it answers as expected"};
}

plan::OptionSpec expect_option() {
  using plan::OptionType;
  return {.name = "expect",
          .type = OptionType::kMap,
          .summary = "what the answer must be; default: any 2xx",
          .fields = {
              {.name = "status",
               .type = OptionType::kList,
               .summary = "one of these HTTP statuses",
               .fields = {{.name = "code", .type = OptionType::kInteger, .summary = "HTTP status"}},
               .not_empty = true},
              // Its keys are free, and a null among them is a value.
              {.name = "json",
               .type = OptionType::kMap,
               .summary = "values that the answer's JSON must have, by path: "
                          "'.data.items[0].state': ready; null = not there"}}};
}

}  // namespace blackstart::stages::http

// http.request: one call of an HTTP API, and a question that tells whether it is needed.
#include <algorithm>

#include "orchestrator/engine/stage.h"
#include "orchestrator/kube/api_error.h"
#include "stages/http/exchange.h"
#include "stages/http/expectation.h"
#include "stages/secret_value.h"

namespace blackstart::stages {
namespace {

using engine::Action;
using engine::Decision;
using engine::Observation;
using http::Exchange;
using http::Verdict;
using plan::OptionType;

bool only_reads(const std::string& method) { return method == "GET" || method == "HEAD"; }

/// RFC 9110, 9.2.2: sent twice it has the effect of once.
bool is_idempotent(const std::string& method) {
  return only_reads(method) || method == "PUT" || method == "DELETE";
}

class RequestStage final : public engine::Stage {
 public:
  Task<Observation> observe(engine::Context& context) override {
    read(context);
    if (question_) co_return co_await ask(context);
    co_return by_record(context);
  }

  Decision decide(const Observation& seen) const override {
    if (seen.is_present()) return Decision::satisfied(seen.reason);
    if (probe_) return Decision::wait(seen.reason);
    Action action{"send", "send " + request_->title(), request_->details(), false, false};
    return Decision::act(std::move(action), seen.reason);
  }

  Task<void> act(engine::Context& context, const Action&) override {
    context.progress("sending " + request_->title());
    const HttpResponse response = co_await request_->send(context.world().http);
    const Verdict verdict = request_->expectation().judge(response);
    if (verdict.kind != Verdict::Kind::kMet) throw refusal(context, response, verdict);
    sent_ = true;
  }

  Decision decide_removal(const Observation&) const override {
    return Decision::satisfied("left in place: what the request did is not known");
  }

 private:
  void read(engine::Context& context) {
    const plan::Value& options = context.options();
    redact_sensitive(context, options);
    request_.emplace(context, options, nullptr);
    probe_ = only_reads(request_->method());
    const plan::Value* check = options.given("check");
    if (probe_ && check)
      throw Error(ErrorClass::kUsage, request_->method() + " changes nothing and needs no `check`")
          .at(check->place);
    const bool may_be_repeated = is_idempotent(request_->method()) || context.flag("repeatable");
    if (!check && !may_be_repeated)
      throw Error(ErrorClass::kUsage, request_->method() + " needs a `check`")
          .at(context.option("method").place)
          .hint(
              "after a crash only a check can tell whether it was done; if it does no harm twice, "
              "say repeatable: true");
    question_.reset();
    if (probe_) question_ = request_;
    if (check) question_.emplace(context, *check, &*request_);
  }

  /// What cannot be asked is not known; but one who waits for an answer waits for that as well.
  Task<Observation> ask(engine::Context& context) {
    std::string reason;
    try {
      const HttpResponse response = co_await question_->send(context.world().http);
      const Verdict verdict = question_->expectation().judge(response);
      const std::string sentence = question_->title() + ": " + verdict.reason;
      if (verdict.kind == Verdict::Kind::kMet) co_return Observation::present(sentence);
      const bool refused = response.status == 401 || response.status == 403;
      if (refused || (verdict.kind == Verdict::Kind::kUnclear && !probe_))
        throw refusal(context, response, verdict);
      co_return probe_ ? Observation::differs(sentence) : Observation::absent(sentence);
    } catch (const Error& error) {
      const bool may_come = error.error_class() == ErrorClass::kUnreachable ||
                            error.error_class() == ErrorClass::kTransient;
      if (!probe_ || !may_come) throw;
      reason = error.full_text();
    }
    co_return Observation::differs(std::move(reason));
  }

  /// Without a check, what the journal remembers is all there is.
  Observation by_record(engine::Context& context) const {
    if (sent_) return Observation::present(request_->title() + " was sent");
    const auto record = context.record();
    if (record && record->digest == context.digest())
      return Observation::present(request_->title() +
                                  " was sent with these inputs before, says the journal");
    return record ? Observation::differs("the inputs have changed since it was sent")
                  : Observation::absent("it has not been sent");
  }

  static Error refusal(engine::Context& context, const HttpResponse& response,
                       const Verdict& verdict) {
    Error error(http::class_of(response.status), verdict.reason);
    error.retry_after(kube::retry_after_seconds(response, context.world().clock.wall_time()));
    if (std::string body = http::excerpt(response); !body.empty()) error.because(std::move(body));
    return error.at(context.option("url").place);
  }

  std::optional<Exchange> request_;
  std::optional<Exchange> question_;  // whose answer tells whether there is something to do
  bool probe_ = false;                // the request is the question
  bool sent_ = false;                 // in this run
};

}  // namespace

extern const engine::StageType kHttpRequest;
const engine::StageType kHttpRequest{
    .schema =
        {
            .name = "http.request",
            .summary = "Calls an HTTP API; a GET waits until the answer is as expected.",
            .options =
                http::with_exchange_options(
                    {{.name = "method",
                      .type = OptionType::kEnum,
                      .default_value = "GET",
                      .summary = "HTTP method; POST and PATCH need a `check`, or `repeatable`",
                      .choices = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}},
                     {.name = "url", .required = true, .summary = "https URL; http warns"}},
                    {{.name = "body",
                      .type = OptionType::kAny,
                      .summary = "a text as it is, or anything else as JSON"},
                     {.name = "check",
                      .type = OptionType::kMap,
                      .summary =
                          "a request that only looks: its answer is as expected when there is "
                          "nothing to do",
                      .fields = http::with_exchange_options(
                          {{.name = "method",
                            .type = OptionType::kEnum,
                            .default_value = "GET",
                            .summary = "GET or HEAD",
                            .choices = {"GET", "HEAD"}},
                           {.name = "url", .summary = "default: that of the request"}},
                          {})},
                     {.name = "repeatable",
                      .type = OptionType::kBoolean,
                      .default_value = "false",
                      .summary = "a POST or PATCH that does no harm when it is sent twice"},
                     {.name = "ca",
                      .type = OptionType::kPath,
                      .summary = "PEM file: the only CA that is trusted, or the server's own "
                                 "certificate; default: the system's CAs"},
                     {.name = "certificate",
                      .type = OptionType::kPath,
                      .summary = "PEM file with our certificate, for servers that want one"},
                     {.name = "key",
                      .type = OptionType::kPath,
                      .summary = "PEM file with its private key"}}),
        },
    .work = engine::Work::kLight,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<RequestStage>(); },
};

}  // namespace blackstart::stages

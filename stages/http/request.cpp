// http.request: one call of an HTTP API, and a question that tells whether it is needed.
#include <algorithm>

#include "orchestrator/engine/stage.h"
#include "orchestrator/kube/api_error.h"
#include "stages/http/exchange.h"
#include "stages/http/expectation.h"
#include "stages/secret_value.h"
#include "stages/web.h"

namespace blackstart::stages {
namespace {

using engine::Action;
using engine::Decision;
using engine::Observation;
using http::Exchange;
using http::Verdict;
using plan::OptionType;

class RequestStage final : public engine::Stage {
 public:
  Task<Observation> observe(engine::Context& context) override {
    read(context);
    if (question_) co_return co_await ask(context);
    co_return by_record(context);
  }

  Decision decide(const Observation& seen) const override {
    if (unknown_) throw *unknown_;
    if (seen.is_present()) return Decision::satisfied(seen.reason);
    if (probe_) return Decision::wait(seen.reason);
    if (sent_) return Decision::wait("it was sent, and has not shown yet: " + seen.reason);
    Action action{"send", "send a request to a URL that is not known yet", {}, once_, false};
    if (request_) {
      action.summary = "send " + request_->title();
      action.details = request_->details();
    }
    return Decision::act(std::move(action), seen.reason);
  }

  Task<void> act(engine::Context& context, const Action&) override {
    context.progress("sending " + request_->title());
    sent_ = once_;  // a lost answer does not tell whether it was done: then the check must
    HttpResponse response;
    try {
      response = co_await request_->send(context.world().http);
    } catch (const Error& error) {
      if (error.error_class() == ErrorClass::kUnreachable) sent_ = false;
      throw;
    }
    const Verdict verdict = request_->expectation().judge(response);
    sent_ = verdict.kind == Verdict::Kind::kMet ||
            (once_ && class_of_status(response.status) == ErrorClass::kTransient);
    if (verdict.kind != Verdict::Kind::kMet) throw refusal(context, *request_, response, verdict);
  }

  Decision decide_removal(const Observation&) const override {
    return Decision::satisfied(probe_ ? "there is nothing to take away: it only looks"
                                      : "left in place: what the request did is not known");
  }

 private:
  void read(engine::Context& context) {
    request_.reset();
    question_.reset();
    const plan::Value& options = context.options();
    redact_sensitive(context, options);
    const plan::Value* check = options.given("check");
    check_method(context, check);
    request_.emplace(context, options);
    if (probe_) question_ = request_;
    if (check) question_.emplace(context, *check, *request_);
  }

  void check_method(engine::Context& context, const plan::Value* check) {
    const plan::Value& method = context.option("method");
    probe_ = http::only_reads(method.as_text());
    once_ = !http::is_idempotent(method.as_text()) && !context.flag("repeatable");
    if (probe_ && check)
      throw Error(ErrorClass::kUsage, method.as_text() + " changes nothing and needs no `check`")
          .at(check->place);
    if (once_ && !check)
      throw Error(ErrorClass::kUsage, method.as_text() + " needs a `check`")
          .at(method.place)
          .hint(
              "after a crash only a check can tell whether it was done; if it does no harm twice, "
              "say repeatable: true");
  }

  /// What cannot be asked is not known, and kept for decide(): who takes away need not know. One
  /// who waits for an answer waits for that as well.
  Task<Observation> ask(engine::Context& context) {
    unknown_.reset();
    try {
      const HttpResponse response = co_await question_->send(context.world().http);
      const Verdict verdict = question_->expectation().judge(response);
      const std::string sentence = question_->title() + ": " + verdict.reason;
      switch (verdict.kind) {
        case Verdict::Kind::kMet: co_return Observation::present(sentence);
        case Verdict::Kind::kAbsent: co_return Observation::absent(sentence);
        case Verdict::Kind::kDiffers: co_return Observation::differs(sentence);
        case Verdict::Kind::kUnclear: break;
      }
      unknown_ = refusal(context, *question_, response, verdict);
    } catch (const Error& error) {
      if (error.error_class() == ErrorClass::kCancelled) throw;
      unknown_ = error;
    }
    const std::string reason = unknown_->full_text();
    const bool may_come = unknown_->error_class() != ErrorClass::kAuthentication;
    if (probe_ && may_come) unknown_.reset();
    co_return Observation::differs(reason);
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

  static Error refusal(engine::Context& context, const Exchange& exchange,
                       const HttpResponse& response, const Verdict& verdict) {
    Error error(class_of_status(response.status), exchange.title() + ": " + verdict.reason);
    error.retry_after(kube::retry_after_seconds(response, context.world().clock.wall_time()));
    if (std::string body = http::excerpt(response); !body.empty()) error.because(std::move(body));
    return error.at(exchange.place());
  }

  std::optional<Exchange> request_;   // none while a part of it is not known
  std::optional<Exchange> question_;  // whose answer tells whether there is something to do
  std::optional<Error> unknown_;      // why the question has no answer
  bool probe_ = false;                // the request is the question
  bool once_ = false;                 // must not be sent twice
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

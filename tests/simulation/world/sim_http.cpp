#include "tests/simulation/world/sim_http.h"

#include "orchestrator/world/answer_too_large.h"

namespace blackstart::sim {
namespace {

// In the list of open requests for as long as it is one.
struct Open {
  Open(std::multiset<std::string>& list, const std::string& title)
      : all(list), own(list.insert(title)) {}
  ~Open() { all.erase(own); }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

  std::multiset<std::string>& all;
  std::multiset<std::string>::iterator own;
};

Task<void> store(Task<HttpResponse> task, HttpResponse& response) {
  response = co_await std::move(task);
}

// Ends when nothing has come for `limit` since `last_byte`.
Task<void> silence(Clock& clock, Duration limit, const Instant& last_byte) {
  while (clock.now() < last_byte + limit) co_await clock.sleep_until(last_byte + limit);
}

Task<void> expect_bytes(Clock& clock, Duration limit, const Instant& last_byte, std::string title,
                        Task<void> task) {
  if (limit == Duration::zero()) {
    co_await std::move(task);
    co_return;
  }
  Race ended = co_await race(std::move(task), silence(clock, limit, last_byte));
  if (ended.rival_won)
    throw Error(ErrorClass::kTransient, title + ": the server fell silent")
        .because("no byte came for " + format_duration(limit));
  if (ended.task_error) std::rethrow_exception(ended.task_error);
}

Task<void> end_in_time(Clock& clock, Duration limit, std::string title, Task<void> task) {
  if (limit == Duration::zero()) {
    co_await std::move(task);
    co_return;
  }
  Race ended = co_await race(std::move(task), clock.sleep_until(clock.now() + limit));
  if (ended.rival_won)
    throw Error(ErrorClass::kTransient, title + ": no complete answer in time")
        .because("after " + format_duration(limit));
  if (ended.task_error) std::rethrow_exception(ended.task_error);
}

}  // namespace

Task<HttpResponse> SimHttp::send(HttpRequest request) {
  co_await throw_if_cancelled();
  ++sent_;
  std::string title = request.method + " " + request.url;
  Open open(open_, title);
  if (!on_send)
    throw Error(ErrorClass::kUnreachable, title + ": no connection").because("Connection refused");
  Duration total = request.total_timeout;
  HttpResponse response;
  co_await end_in_time(clock_, total, title, store(exchange(std::move(request)), response));
  co_return response;
}

Task<HttpResponse> SimHttp::exchange(HttpRequest request) {
  std::string title = request.method + " " + request.url;
  Instant last_byte = clock_.now();
  auto on_body = request.on_body;
  if (on_body) {
    request.on_body = [&](std::string_view part) {
      last_byte = clock_.now();
      on_body(part);
    };
  }
  // What is not streamed comes whole: its first byte ends the silence.
  bool may_think = !on_body && request.first_byte_timeout > Duration::zero();
  Duration idle = may_think ? request.first_byte_timeout : request.idle_timeout;
  size_t limit = request.body_limit;
  HttpResponse response;
  co_await expect_bytes(clock_, idle, last_byte, title,
                        store(on_send(std::move(request)), response));
  bool streamed = on_body && response.status / 100 == 2;
  if (!streamed && response.body.size() > limit) throw AnswerTooLarge(title, limit);
  if (streamed && !response.body.empty()) on_body(std::exchange(response.body, {}));
  co_return response;
}

}  // namespace blackstart::sim

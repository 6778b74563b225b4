// What a server can do to a request.
#include "tests/unit/faults/fault_server.h"

namespace blackstart::faults {

namespace {

Task<void> send(Exchange& exchange, std::string text) { co_await exchange.send(std::move(text)); }

Task<void> send_and_close(Exchange& exchange, std::string text) {
  co_await exchange.send(std::move(text));
  exchange.close();
}

Task<void> send_and_hold(Exchange& exchange, std::string text) {
  if (!text.empty()) co_await exchange.send(std::move(text));
  co_await exchange.hold();
}

// Ends when the client has gone: sending throws then.
Task<void> drip(Exchange& exchange, std::string head, std::string again, Duration every) {
  co_await exchange.send(std::move(head));
  while (true) {
    Clock& clock = exchange.clock();
    co_await clock.sleep_until(clock.now() + every);
    co_await exchange.send(again);
  }
}

Task<void> break_off(Exchange& exchange, bool hard) {
  hard ? exchange.reset() : exchange.close();
  co_return;
}

Task<void> announce_the_end(Exchange& exchange, uint32_t code, bool with_this) {
  co_await exchange.go_away(code, with_this);
  exchange.still_to_answer = with_this;
}

}  // namespace

Fault answer(std::string text) {
  return [text](Exchange& exchange) { return send(exchange, text); };
}
Fault answer_and_close(std::string part) {
  return [part](Exchange& exchange) { return send_and_close(exchange, part); };
}
Fault answer_and_hold(std::string part) {
  return [part](Exchange& exchange) { return send_and_hold(exchange, part); };
}
Fault answer_slowly(std::string part, std::string again, Duration every) {
  return [=](Exchange& exchange) { return drip(exchange, part, again, every); };
}
Fault reset() {
  return [](Exchange& exchange) { return break_off(exchange, true); };
}
Fault close_silently() {
  return [](Exchange& exchange) { return break_off(exchange, false); };
}

Fault reset_stream(uint32_t code) {
  return [code](Exchange& exchange) { return exchange.reset_stream(code); };
}
Fault go_away(uint32_t code, bool with_this) {
  return [=](Exchange& exchange) { return announce_the_end(exchange, code, with_this); };
}

Fault status(int code, std::string reason, std::string message, std::string headers) {
  const std::string body = R"({"kind":"Status","status":"Failure","code":)" + std::to_string(code) +
                           R"(,"reason":")" + reason + R"(","message":")" + message + "\"}";
  return answer("HTTP/1.1 " + std::to_string(code) + " No\r\n" + headers +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

std::string whole(const std::string& body, const std::string& headers) {
  return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string chunked_head(const std::string& headers) {
  return "HTTP/1.1 200 OK\r\n" + headers + "Transfer-Encoding: chunked\r\n\r\n";
}

std::string chunk(const std::string& data) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + data + "\r\n";
}

}  // namespace blackstart::faults

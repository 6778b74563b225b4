// An API server that does to its clients what a test tells it to: real TLS, HTTP/1.1 and HTTP/2, on
// the loop and the virtual clock of the client.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "tests/unit/kube/virtual_loop.h"
#include "tests/unit/world/test_certificates.h"

namespace blackstart::faults {

struct Request {
  std::string method, target, body;
  bool is_watch() const { return target.find("watch=true") != std::string::npos; }
  bool is_object() const { return target.find("/configmaps") != std::string::npos; }
};

/// One request and the connection that it came on. An operation throws when the client has gone.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;
  virtual Clock& clock() = 0;
  virtual Task<void> send(std::string text) = 0;  // as it is in HTTP/1.1
  virtual Task<void> hold() = 0;                  // until the client has gone
  virtual void close() = 0;                       // the connection, without the end that TLS wants
  virtual void reset() = 0;                       // the connection
  /// Ends this request alone, with an error code of RFC 9113, section 7.
  virtual Task<void> reset_stream(uint32_t code);
  /// Says that the connection ends, with such a code, and which request was the last to be looked
  /// at: this one, or the one before it.
  virtual Task<void> go_away(uint32_t code, bool with_this);
  bool still_to_answer = false;  // a fault leaves that to the server
};

/// What is done to one request in place of an answer.
using Fault = std::function<Task<void>(Exchange&)>;

/// What is done to one connection in place of a TLS handshake.
enum class Refusal { kSilence, kReset, kGarbage };

class FaultServer {
 public:
  FaultServer(kube::VirtualLoop& loop, test::Certificate certificate);
  ~FaultServer();

  /// What the next requests for objects get, one after the other; those after them, and all others,
  /// are answered well. A server with `watches_only` has them for watches.
  std::deque<Fault> script;
  bool for_ever = false;  // the last of the script stays
  bool watches_only = false;
  bool http2 = false;            // spoken on the connections to come
  std::deque<Refusal> refusals;  // of the next connections

  int port() const;
  size_t requests = 0;     // for objects; watches and lists too
  size_t connections = 0;  // accepted
  /// Breaks off every connection.
  void drop_all();
  /// Nobody listens, until listen() or for a while.
  void stop_listening();
  void stop_listening_for(Duration how_long);
  void listen();
  /// A configmap appears: watches and lists show it from now on.
  void add_two();
  void use(const test::Certificate& certificate);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

// --- what can be done to a request ---

Fault answer(std::string whole);  // sends these bytes, and goes on
Fault answer_and_close(std::string part);
Fault answer_and_hold(std::string part);  // falls silent after these bytes
Fault answer_slowly(std::string part, std::string again, Duration every);
Fault reset();
Fault close_silently();
Fault reset_stream(uint32_t code);             // HTTP/2 only
Fault go_away(uint32_t code, bool with_this);  // HTTP/2 only; this one is answered if looked at
/// A Status of the API server with this code; `headers` end with a line break each.
Fault status(int code, std::string reason, std::string message, std::string headers = {});

/// "HTTP/1.1 200 OK" with its length.
std::string whole(const std::string& body, const std::string& headers = {});
/// The head of an answer in chunks, and one of them.
std::string chunked_head(const std::string& headers = {});
std::string chunk(const std::string& data);

}  // namespace blackstart::faults

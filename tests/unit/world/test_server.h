// A server that does to its clients what a test tells it to, in threads of its own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/unit/world/test_certificates.h"

namespace blackstart::test {

/// One accepted connection. Blocking; an operation on a closed connection throws.
class Connection {
 public:
  virtual ~Connection() = default;
  /// Head and body (by its Content-Length).
  virtual std::string read_request() = 0;
  virtual std::string read(size_t count) = 0;  // exactly so many bytes
  virtual void send(const std::string& text) = 0;
  virtual void reset() = 0;  // RST instead of an orderly end
  /// Blocks until the client has gone.
  virtual void wait_until_closed() = 0;
};

class TestServer {
 public:
  using Handler = std::function<void(Connection&)>;

  struct Tls {
    Certificate certificate;
    std::string client_ca;  // set = a client certificate is required
  };

  /// `handler` runs once per connection; when it returns, the connection is closed.
  explicit TestServer(Handler handler, std::optional<Tls> tls = std::nullopt);
  ~TestServer();

  int port() const;
  std::string url(const std::string& path = "/") const;
  int accepted() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Answers every request of a connection with the same text.
TestServer::Handler answer_all(std::string response);
/// A whole response with its length.
std::string response(const std::string& body, const std::string& headers = "");

}  // namespace blackstart::test

// libcurl's multi interface on the event loop: curl says which sockets and which timeout it waits
// for.
#pragma once

#include <curl/curl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>

namespace blackstart::real {

/// One HTTP/2 connection, or several of HTTP/1.1 to servers that know no better. Transfers are easy
/// handles whose CURLOPT_PRIVATE points to a Completion.
class HttpMulti {
 public:
  /// Called once when the transfer has ended, on the loop; must not call back into this object.
  using Completion = std::function<void(CURLcode)>;

  /// Kubernetes API servers allow 100 streams on a connection and more, but do the framing and the
  /// encryption of a connection on one processor.
  static constexpr size_t kStreamsPerConnection = 32;

  explicit HttpMulti(boost::asio::io_context& loop);
  ~HttpMulti();
  HttpMulti(const HttpMulti&) = delete;
  HttpMulti& operator=(const HttpMulti&) = delete;

  void add(CURL* easy);
  /// Breaks the transfer off when it is still running. Not from within a callback of a transfer.
  void remove(CURL* easy);
  size_t running() const { return running_; }

 private:
  struct Watch;
  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*);
  static int on_timer(CURLM*, long milliseconds, void* self);
  void watch(curl_socket_t socket, int what);
  void wait_for_readable(curl_socket_t socket, std::shared_ptr<Watch> watch);
  void wait_for_writable(curl_socket_t socket, std::shared_ptr<Watch> watch);
  void drive(curl_socket_t socket, int events);

  boost::asio::io_context& loop_;
  CURLM* multi_;
  boost::asio::steady_timer timer_;
  std::map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  size_t running_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for handlers already on their way
};

}  // namespace blackstart::real

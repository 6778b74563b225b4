#include "orchestrator/world/http_multi.h"

#include <new>

namespace blackstart::real {

namespace asio = boost::asio;

namespace {

constexpr long kConnectionsPerHost = 100;  // only HTTP/1.1 needs more than one
constexpr long kIdleConnectionsKept = 16;

void set(CURLM* multi, CURLMoption option, long value) { curl_multi_setopt(multi, option, value); }

}  // namespace

// What curl waits for on one socket. The socket is curl's: release() gives it back unclosed.
struct HttpMulti::Watch {
  Watch(asio::io_context& loop, curl_socket_t socket) : descriptor(loop, socket) {}
  ~Watch() { close(); }
  void close() {
    if (descriptor.is_open()) descriptor.release();
    wanted = 0;
  }

  asio::posix::stream_descriptor descriptor;
  int wanted = 0;
  bool reading = false;
  bool writing = false;
};

HttpMulti::HttpMulti(asio::io_context& loop)
    : loop_(loop), multi_(curl_multi_init()), timer_(loop) {
  if (multi_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &HttpMulti::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &HttpMulti::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  set(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  set(multi_, CURLMOPT_MAX_CONCURRENT_STREAMS, long{kStreamsPerConnection});
  set(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, kConnectionsPerHost);
  set(multi_, CURLMOPT_MAXCONNECTS, kIdleConnectionsKept);
}

HttpMulti::~HttpMulti() {
  curl_multi_cleanup(multi_);  // closes the connections, each through on_socket
  for (auto& [socket, watch] : watches_) watch->close();
}

void HttpMulti::add(CURL* easy) {
  curl_multi_add_handle(multi_, easy);
  ++running_;
}

void HttpMulti::remove(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);
  --running_;
}

int HttpMulti::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  static_cast<HttpMulti*>(self)->watch(socket, what);
  return 0;
}

void HttpMulti::watch(curl_socket_t socket, int what) {
  auto found = watches_.find(socket);
  if (what == CURL_POLL_REMOVE) {
    if (found == watches_.end()) return;
    found->second->close();
    watches_.erase(found);
    return;
  }
  if (found == watches_.end())
    found = watches_.emplace(socket, std::make_shared<Watch>(loop_, socket)).first;
  found->second->wanted = what;
  wait_for_readable(socket, found->second);
  wait_for_writable(socket, found->second);
}

void HttpMulti::wait_for_readable(curl_socket_t socket, std::shared_ptr<Watch> watch) {
  if (watch->reading || (watch->wanted & CURL_POLL_IN) == 0) return;
  watch->reading = true;
  auto& descriptor = watch->descriptor;
  descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                        [this, socket, watch](const boost::system::error_code& error) {
                          watch->reading = false;
                          if (watch->wanted == 0) return;  // closed: `this` may be gone
                          if ((watch->wanted & CURL_POLL_IN) != 0)
                            drive(socket, error ? CURL_CSELECT_ERR : CURL_CSELECT_IN);
                          if (watch->wanted != 0) wait_for_readable(socket, watch);
                        });
}

void HttpMulti::wait_for_writable(curl_socket_t socket, std::shared_ptr<Watch> watch) {
  if (watch->writing || (watch->wanted & CURL_POLL_OUT) == 0) return;
  watch->writing = true;
  auto& descriptor = watch->descriptor;
  descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                        [this, socket, watch](const boost::system::error_code& error) {
                          watch->writing = false;
                          if (watch->wanted == 0) return;
                          if ((watch->wanted & CURL_POLL_OUT) != 0)
                            drive(socket, error ? CURL_CSELECT_ERR : CURL_CSELECT_OUT);
                          if (watch->wanted != 0) wait_for_writable(socket, watch);
                        });
}

int HttpMulti::on_timer(CURLM*, long milliseconds, void* self) {
  auto* multi = static_cast<HttpMulti*>(self);
  if (milliseconds < 0) {
    multi->timer_.cancel();
    return 0;
  }
  // Never at once: curl must not be called from its own callback.
  multi->timer_.expires_after(std::chrono::milliseconds(milliseconds));
  multi->timer_.async_wait(
      [multi, alive = std::weak_ptr(multi->alive_)](const boost::system::error_code& error) {
        if (!error && !alive.expired()) multi->drive(CURL_SOCKET_TIMEOUT, 0);
      });
  return 0;
}

void HttpMulti::drive(curl_socket_t socket, int events) {
  int still_running = 0;
  curl_multi_socket_action(multi_, socket, events, &still_running);
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Completion* completion = nullptr;
    CURLcode result = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &completion);
    (*completion)(result);
  }
}

}  // namespace blackstart::real

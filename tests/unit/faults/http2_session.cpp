#include <nghttp2/nghttp2.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <stdexcept>

#include "orchestrator/base/text.h"
#include "tests/unit/faults/http1_answer.h"
#include "tests/unit/faults/sessions.h"

namespace blackstart::faults {

namespace asio = boost::asio;

namespace {

struct Stream {
  Stream(int32_t number, Executor executor) : id(number), closed(executor) {}
  const int32_t id;
  Request request;
  Http1Answer answer;
  bool begun = false;  // its headers are sent
  size_t sent = 0;     // of its body
  Event closed;
};

/// nghttp2's state machine on a connection.
class Http2Session {
 public:
  Http2Session(TlsStream& stream, Clock& clock, Executor executor, Serve serve);
  ~Http2Session() { nghttp2_session_del(session_); }
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  Task<void> talk();
  Task<void> send(std::shared_ptr<Stream> stream, std::string text);
  Task<void> reset_stream(int32_t id, uint32_t code);
  Task<void> go_away(int32_t last, uint32_t code);
  Clock& clock() { return clock_; }
  TlsStream& connection() { return connection_; }

 private:
  static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }
  static int on_begin(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                       size_t name_length, const uint8_t* value, size_t value_length, uint8_t,
                       void* user);
  static int on_data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t length,
                     void* user);
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_close(nghttp2_session*, int32_t id, uint32_t, void* user);
  static ssize_t give_body(nghttp2_session*, int32_t, uint8_t* buffer, size_t length,
                           uint32_t* flags, nghttp2_data_source* source, void*);
  void begin_answer(Stream& stream);
  Task<void> receive();
  Task<void> flush();
  Task<void> serve(std::shared_ptr<Stream> stream);

  TlsStream& connection_;
  Clock& clock_;
  Executor executor_;
  Serve serve_;
  TaskGroup serving_;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, std::shared_ptr<Stream>> streams_;
  std::string out_;
  bool writing_ = false;
};

class Http2Exchange final : public Exchange {
 public:
  Http2Exchange(Http2Session& session, std::shared_ptr<Stream> stream)
      : session_(session), stream_(std::move(stream)) {}

  const Request& request() const override { return stream_->request; }
  Clock& clock() override { return session_.clock(); }
  Task<void> send(std::string text) override { return session_.send(stream_, std::move(text)); }
  Task<void> hold() override { return stream_->closed.wait(); }
  void close() override { session_.connection().next_layer().close(); }
  void reset() override { faults::reset(session_.connection()); }
  Task<void> reset_stream(uint32_t code) override {
    return session_.reset_stream(stream_->id, code);
  }
  Task<void> go_away(uint32_t code, bool with_this) override {
    return session_.go_away(with_this ? stream_->id : std::max(stream_->id - 2, 0), code);
  }

 private:
  Http2Session& session_;
  std::shared_ptr<Stream> stream_;
};

void check(int result) {
  if (result != 0) throw std::runtime_error(nghttp2_strerror(result));
}

Http2Session::Http2Session(TlsStream& stream, Clock& clock, Executor executor, Serve serve)
    : connection_(stream),
      clock_(clock),
      executor_(executor),
      serve_(std::move(serve)),
      serving_(executor) {
  nghttp2_session_callbacks* callbacks = nullptr;
  check(nghttp2_session_callbacks_new(&callbacks));
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  const int made = nghttp2_session_server_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  check(made);
}

// --- what the client says ---

int Http2Session::on_begin(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  const int32_t id = frame->hd.stream_id;
  self(user).streams_[id] = std::make_shared<Stream>(id, self(user).executor_);
  return 0;
}

int Http2Session::on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                            size_t name_length, const uint8_t* value, size_t value_length, uint8_t,
                            void* user) {
  const std::string_view key(reinterpret_cast<const char*>(name), name_length);
  const std::string text(reinterpret_cast<const char*>(value), value_length);
  Request& request = self(user).streams_.at(frame->hd.stream_id)->request;
  if (key == ":method") request.method = text;
  if (key == ":path") request.target = text;
  return 0;
}

int Http2Session::on_data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t length,
                          void* user) {
  self(user).streams_.at(id)->request.body.append(reinterpret_cast<const char*>(data), length);
  return 0;
}

int Http2Session::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  const bool request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!request || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  Http2Session& session = self(user);
  session.serving_.spawn(session.serve(session.streams_.at(frame->hd.stream_id)));
  return 0;
}

int Http2Session::on_close(nghttp2_session*, int32_t id, uint32_t, void* user) {
  const auto found = self(user).streams_.find(id);
  if (found == self(user).streams_.end()) return 0;
  found->second->closed.set();
  self(user).streams_.erase(found);
  return 0;
}

// --- what it is told ---

ssize_t Http2Session::give_body(nghttp2_session*, int32_t, uint8_t* buffer, size_t length,
                                uint32_t* flags, nghttp2_data_source* source, void*) {
  Stream& stream = *static_cast<Stream*>(source->ptr);
  const std::string& body = stream.answer.body;
  const size_t count = body.copy(reinterpret_cast<char*>(buffer), length, stream.sent);
  stream.sent += count;
  const bool complete = stream.answer.complete;
  if (stream.sent == body.size() && complete) *flags |= NGHTTP2_DATA_FLAG_EOF;
  const bool nothing_yet = count == 0 && !complete;
  return nothing_yet ? static_cast<ssize_t>(NGHTTP2_ERR_DEFERRED) : static_cast<ssize_t>(count);
}

void Http2Session::begin_answer(Stream& stream) {
  std::vector<nghttp2_nv> headers;
  for (auto& [name, value] : stream.answer.headers) {
    headers.push_back({reinterpret_cast<uint8_t*>(name.data()),
                       reinterpret_cast<uint8_t*>(value.data()), name.size(), value.size(),
                       NGHTTP2_NV_FLAG_NONE});
  }
  nghttp2_data_provider body{{.ptr = &stream}, give_body};
  check(nghttp2_submit_response(session_, stream.id, headers.data(), headers.size(), &body));
  stream.begun = true;
}

Task<void> Http2Session::send(std::shared_ptr<Stream> stream, std::string text) {
  if (stream->closed.is_set()) throw std::runtime_error("the client has gone");
  stream->answer.add(text);
  if (stream->begun) {
    nghttp2_session_resume_data(session_, stream->id);
  } else if (!stream->answer.headers.empty()) {
    begin_answer(*stream);
  }
  co_await flush();
}

Task<void> Http2Session::reset_stream(int32_t id, uint32_t code) {
  check(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code));
  co_await flush();
}

Task<void> Http2Session::go_away(int32_t last, uint32_t code) {
  check(nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last, code, nullptr, 0));
  co_await flush();
}

Task<void> Http2Session::flush() {
  const uint8_t* data = nullptr;
  for (ssize_t size; (size = nghttp2_session_mem_send(session_, &data)) > 0;)
    out_.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
  if (writing_) co_return;
  writing_ = true;
  while (!out_.empty()) {
    const std::string part = std::exchange(out_, {});
    co_await asio::async_write(connection_, asio::buffer(part), asio::use_awaitable);
  }
  writing_ = false;
}

// A client that goes away, or a fault that closes the connection, is heard of by receive().
Task<void> Http2Session::serve(std::shared_ptr<Stream> stream) {
  Http2Exchange exchange(*this, stream);
  try {
    co_await serve_(exchange);
  } catch (const std::exception&) {
  }
}

Task<void> Http2Session::receive() {
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 250}};
  check(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings)));
  std::string buffer(64 << 10, '\0');
  boost::system::error_code error;
  while (!error) {
    co_await flush();
    auto [end, count] = co_await connection_.async_read_some(asio::buffer(buffer),
                                                             asio::as_tuple(asio::use_awaitable));
    error = end;
    const auto* data = reinterpret_cast<const uint8_t*>(buffer.data());
    if (nghttp2_session_mem_recv(session_, data, count) < 0) error = asio::error::fault;
  }
}

Task<void> Http2Session::talk() {
  try {
    co_await receive();
  } catch (const std::exception&) {
  }
  serving_.cancel();
  co_await serving_.join();
}

}  // namespace

Task<void> talk_http2(TlsStream& stream, Clock& clock, Serve serve) {
  Executor executor = co_await asio::this_coro::executor;
  Http2Session session(stream, clock, executor, std::move(serve));
  co_await session.talk();
}

}  // namespace blackstart::faults

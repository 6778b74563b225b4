#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "tests/unit/faults/sessions.h"

namespace blackstart::faults {

namespace asio = boost::asio;

namespace {

class Http1Exchange final : public Exchange {
 public:
  Http1Exchange(TlsStream& stream, Clock& clock) : stream_(stream), clock_(clock) {}

  const Request& request() const override { return request_; }
  Clock& clock() override { return clock_; }
  Task<void> send(std::string text) override {
    co_await asio::async_write(stream_, asio::buffer(text), asio::use_awaitable);
  }
  Task<void> hold() override {
    char byte;
    boost::system::error_code error;
    while (!error) {
      auto [end, count] = co_await stream_.async_read_some(asio::buffer(&byte, 1),
                                                           asio::as_tuple(asio::use_awaitable));
      error = end;
    }
    close();
  }
  void close() override { stream_.next_layer().close(); }
  void reset() override { faults::reset(stream_); }

  Task<void> read_request() {
    const size_t head = co_await asio::async_read_until(stream_, asio::dynamic_buffer(buffer_),
                                                        "\r\n\r\n", asio::use_awaitable);
    const size_t at = buffer_.find("Content-Length: ");
    const size_t length = at < head ? std::stoul(buffer_.substr(at + 16)) : 0;
    if (buffer_.size() < head + length)
      co_await asio::async_read(stream_, asio::dynamic_buffer(buffer_),
                                asio::transfer_exactly(head + length - buffer_.size()),
                                asio::use_awaitable);
    const size_t space = buffer_.find(' ');
    request_.method = buffer_.substr(0, space);
    request_.target = buffer_.substr(space + 1, buffer_.find(' ', space + 1) - space - 1);
    request_.body = buffer_.substr(head, length);
    buffer_.erase(0, head + length);
  }

 private:
  TlsStream& stream_;
  Clock& clock_;
  std::string buffer_;
  Request request_;
};

}  // namespace

void reset(TlsStream& stream) {
  stream.next_layer().set_option(asio::ip::tcp::socket::linger(true, 0));
  stream.next_layer().close();
}

Task<void> talk_http1(TlsStream& stream, Clock& clock, Serve serve) {
  Http1Exchange exchange(stream, clock);
  while (stream.next_layer().is_open()) {
    co_await exchange.read_request();
    co_await serve(exchange);
  }
}

}  // namespace blackstart::faults

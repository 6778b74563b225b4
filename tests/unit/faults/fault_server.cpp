#include "tests/unit/faults/fault_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <set>

#include "tests/unit/faults/good_api.h"

namespace blackstart::faults {

namespace asio = boost::asio;
using asio::ip::tcp;
using Stream = asio::ssl::stream<tcp::socket>;

struct FaultServer::State {
  State(FaultServer& owner, kube::VirtualLoop& virtual_loop)
      : server(owner), loop(virtual_loop), acceptor(virtual_loop.context) {}
  FaultServer& server;
  kube::VirtualLoop& loop;
  tcp::acceptor acceptor;
  int port = 0;
  std::shared_ptr<asio::ssl::context> tls;
  std::set<Stream*> open;
  GoodApi api;

  Task<void> answer(Exchange& exchange) {
    const Request& request = exchange.request();
    if (!request.is_watch()) co_return co_await exchange.send(api.answer(request));
    co_await exchange.send(api.watch_from(request));
    co_await exchange.hold();
  }

  // The fault that is due, or the good answer.
  Task<void> serve(Exchange& exchange) {
    const Request& request = exchange.request();
    if (request.is_object() && !api.is_afterwards(request)) ++server.requests;
    const bool meant = server.watches_only ? request.is_watch() : request.is_object();
    if (!meant || server.script.empty()) co_return co_await answer(exchange);
    const Fault fault = server.script.front();
    if (!server.for_ever || server.script.size() > 1) server.script.pop_front();
    co_await fault(exchange);
  }
};

namespace {

using State = FaultServer::State;

class Session final : public Exchange {
 public:
  Session(std::shared_ptr<State> state, tcp::socket socket)
      : state_(std::move(state)), tls_(state_->tls), stream_(std::move(socket), *tls_) {
    state_->open.insert(&stream_);
  }
  ~Session() override { state_->open.erase(&stream_); }

  const Request& request() const override { return request_; }
  Clock& clock() override { return state_->loop.clock; }
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
  void reset() override {
    stream_.next_layer().set_option(tcp::socket::linger(true, 0));
    close();
  }

  Task<void> talk() {
    if (!state_->server.refusals.empty()) {
      const Refusal refusal = state_->server.refusals.front();
      state_->server.refusals.pop_front();
      co_return co_await refuse(refusal);
    }
    co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    while (stream_.next_layer().is_open()) {
      co_await read_request();
      co_await state_->serve(*this);
    }
  }

 private:
  Task<void> refuse(Refusal refusal) {
    if (refusal == Refusal::kReset) co_return reset();
    const std::string garbage = "SSH-2.0-OpenSSH_9.2p1\r\n";
    if (refusal == Refusal::kGarbage)
      co_await asio::async_write(stream_.next_layer(), asio::buffer(garbage), asio::use_awaitable);
    std::string all;
    co_await asio::async_read(stream_.next_layer(), asio::dynamic_buffer(all),
                              asio::as_tuple(asio::use_awaitable));
  }

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

  std::shared_ptr<State> state_;
  std::shared_ptr<asio::ssl::context> tls_;
  Stream stream_;
  std::string buffer_;
  Request request_;
};

Task<void> talk(std::shared_ptr<State> state, tcp::socket socket) {
  Session session(state, std::move(socket));
  co_await session.talk();
}

Task<void> accept_all(std::shared_ptr<State> state) {
  while (true) {
    auto [error, socket] =
        co_await state->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    ++state->server.connections;
    // Else the kernel keeps the second piece of an answer for 40 ms, until the first is
    // acknowledged.
    socket.set_option(asio::ip::tcp::no_delay(true));
    // A client that goes away is none of our business: what it makes of it the test looks at.
    start(state->loop.context.get_executor(), talk(state, std::move(socket)),
          [](std::exception_ptr) {});
  }
}

Task<void> listen_at(std::shared_ptr<State> state, Instant then) {
  co_await state->loop.clock.sleep_until(then);
  state->server.listen();
}

}  // namespace

FaultServer::FaultServer(kube::VirtualLoop& loop, test::Certificate certificate)
    : state_(std::make_shared<State>(*this, loop)) {
  use(certificate);
  listen();
}

FaultServer::~FaultServer() { stop_listening(); }

int FaultServer::port() const { return state_->port; }

void FaultServer::use(const test::Certificate& certificate) {
  state_->tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  state_->tls->use_certificate_chain(asio::buffer(certificate.certificate));
  state_->tls->use_private_key(asio::buffer(certificate.key), asio::ssl::context::pem);
}

void FaultServer::listen() {
  const auto port = static_cast<unsigned short>(state_->port);
  state_->acceptor =
      tcp::acceptor(state_->loop.context, tcp::endpoint(asio::ip::address_v4::loopback(), port));
  state_->port = state_->acceptor.local_endpoint().port();
  start(state_->loop.context.get_executor(), accept_all(state_), [](std::exception_ptr) {});
}

void FaultServer::stop_listening() { state_->acceptor.close(); }

void FaultServer::stop_listening_for(Duration how_long) {
  stop_listening();
  start(state_->loop.context.get_executor(), listen_at(state_, state_->loop.clock.now() + how_long),
        [](std::exception_ptr) {});
}

void FaultServer::drop_all() {
  for (Stream* stream : state_->open) stream->next_layer().close();
}

void FaultServer::add_two() { state_->api.add_two(); }

}  // namespace blackstart::faults

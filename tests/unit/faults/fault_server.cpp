#include "tests/unit/faults/fault_server.h"

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <set>

#include "tests/unit/faults/good_api.h"
#include "tests/unit/faults/sessions.h"

namespace blackstart::faults {

namespace asio = boost::asio;
using asio::ip::tcp;

struct FaultServer::State {
  State(FaultServer& owner, kube::VirtualLoop& virtual_loop)
      : server(owner), loop(virtual_loop), acceptor(virtual_loop.context) {}
  FaultServer& server;
  kube::VirtualLoop& loop;
  tcp::acceptor acceptor;
  int port = 0;
  std::shared_ptr<asio::ssl::context> tls;
  std::set<TlsStream*> open;
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
    try {
      co_await fault(exchange);
    } catch (const std::logic_error& error) {  // of the test: the client would see silence
      ADD_FAILURE() << error.what();
    }
    if (exchange.still_to_answer) co_await answer(exchange);
  }
};

namespace {

using State = FaultServer::State;

bool is_http2(TlsStream& stream) {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(stream.native_handle(), &name, &length);
  return length == 2;  // "h2", not "http/1.1"
}

int select_http2(SSL*, const unsigned char** chosen, unsigned char* length,
                 const unsigned char* offered, unsigned count, void*) {
  static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  const bool found = SSL_select_next_proto(const_cast<unsigned char**>(chosen), length, kHttp2,
                                           sizeof kHttp2, offered, count) == OPENSSL_NPN_NEGOTIATED;
  return found ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Task<void> refuse(TlsStream& stream, Refusal refusal) {
  if (refusal == Refusal::kReset) co_return reset(stream);
  const std::string garbage = "SSH-2.0-OpenSSH_9.2p1\r\n";
  if (refusal == Refusal::kGarbage)
    co_await asio::async_write(stream.next_layer(), asio::buffer(garbage), asio::use_awaitable);
  std::string all;
  co_await asio::async_read(stream.next_layer(), asio::dynamic_buffer(all),
                            asio::as_tuple(asio::use_awaitable));
}

/// In the server's list of open connections as long as it lives.
struct Listed {
  Listed(State& owner, TlsStream& open) : state(owner), stream(open) { state.open.insert(&stream); }
  ~Listed() { state.open.erase(&stream); }
  State& state;
  TlsStream& stream;
};

Task<void> talk(std::shared_ptr<State> state, tcp::socket socket) {
  const std::shared_ptr<asio::ssl::context> tls = state->tls;
  TlsStream stream(std::move(socket), *tls);
  const Listed listed(*state, stream);
  if (!state->server.refusals.empty()) {
    const Refusal refusal = state->server.refusals.front();
    state->server.refusals.pop_front();
    co_return co_await refuse(stream, refusal);
  }
  if (state->server.http2) SSL_CTX_set_alpn_select_cb(tls->native_handle(), select_http2, nullptr);
  co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
  const auto talk_on = is_http2(stream) ? talk_http2 : talk_http1;
  Serve serve = [state](Exchange& exchange) { return state->serve(exchange); };
  co_await talk_on(stream, state->loop.clock, std::move(serve));
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

Task<void> Exchange::reset_stream(uint32_t) { throw std::logic_error("HTTP/1.1 has no streams"); }

Task<void> Exchange::go_away(uint32_t, bool) { throw std::logic_error("HTTP/1.1 has no GOAWAY"); }

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
  for (TlsStream* stream : state_->open) stream->next_layer().close();
}

void FaultServer::add_two() { state_->api.add_two(); }

}  // namespace blackstart::faults

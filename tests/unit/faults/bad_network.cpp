#include "tests/unit/faults/bad_network.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <list>

namespace blackstart::faults {

namespace asio = boost::asio;
using asio::ip::tcp;

// A full backlog: the kernel drops further SYNs.
struct Blackhole::State {
  explicit State(const tcp::endpoint& endpoint) : acceptor(loop) {
    acceptor.open(endpoint.protocol());
    acceptor.bind(endpoint);
    acceptor.listen(0);
    for (int i = 0; i < 3; ++i) {
      tcp::socket& filler = fillers.emplace_back(loop, endpoint.protocol());
      filler.non_blocking(true);
      // Begun and never ended; Asio's own connect would wait for it.
      ::connect(filler.native_handle(), endpoint.data(), static_cast<socklen_t>(endpoint.size()));
    }
  }
  asio::io_context loop;
  tcp::acceptor acceptor;
  std::list<tcp::socket> fillers;
};

Blackhole::Blackhole(const std::string& address, int port)
    : state_(std::make_unique<State>(
          tcp::endpoint(asio::ip::make_address(address), static_cast<unsigned short>(port)))) {}
Blackhole::~Blackhole() = default;

struct Proxy::State {
  State(kube::VirtualLoop& virtual_loop, int answer, int target_port)
      : loop(virtual_loop.context), status(answer), target(target_port) {}
  asio::io_context& loop;
  int status;
  int target;
  tcp::acceptor acceptor{loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

namespace {

using State = Proxy::State;

struct Tunnel {
  Tunnel(tcp::socket from, asio::io_context& loop) : client(std::move(from)), server(loop) {}
  tcp::socket client, server;
};

Task<void> pump(std::shared_ptr<Tunnel> tunnel, tcp::socket& from, tcp::socket& to) {
  char piece[16384];
  boost::system::error_code error;
  while (!error) {
    auto [end, count] =
        co_await from.async_read_some(asio::buffer(piece), asio::as_tuple(asio::use_awaitable));
    error = end;
    if (!error) co_await asio::async_write(to, asio::buffer(piece, count), asio::use_awaitable);
  }
  tunnel->client.close();
  tunnel->server.close();
}

Task<void> serve(std::shared_ptr<State> state, tcp::socket socket) {
  auto tunnel = std::make_shared<Tunnel>(std::move(socket), state->loop);
  std::string head;
  co_await asio::async_read_until(tunnel->client, asio::dynamic_buffer(head), "\r\n\r\n",
                                  asio::use_awaitable);
  const std::string answer =
      "HTTP/1.1 " + std::to_string(state->status) + " Answer\r\nContent-Length: 0\r\n\r\n";
  if (state->status != 0)
    co_await asio::async_write(tunnel->client, asio::buffer(answer), asio::use_awaitable);
  const auto port = static_cast<unsigned short>(state->target);
  co_await tunnel->server.async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), port),
                                        asio::use_awaitable);
  start(state->loop.get_executor(), pump(tunnel, tunnel->server, tunnel->client),
        [](std::exception_ptr) {});
  co_await pump(tunnel, tunnel->client, tunnel->server);
}

Task<void> accept_all(std::shared_ptr<State> state) {
  while (true) {
    auto [error, socket] =
        co_await state->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    socket.set_option(tcp::no_delay(true));
    start(state->loop.get_executor(), serve(state, std::move(socket)), [](std::exception_ptr) {});
  }
}

}  // namespace

Proxy::Proxy(kube::VirtualLoop& loop, int status, int port)
    : state_(std::make_shared<State>(loop, status, port)) {
  start(loop.context.get_executor(), accept_all(state_), [](std::exception_ptr) {});
}
Proxy::~Proxy() { state_->acceptor.close(); }

std::string Proxy::url() const {
  return "http://127.0.0.1:" + std::to_string(state_->acceptor.local_endpoint().port());
}

}  // namespace blackstart::faults

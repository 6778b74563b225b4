#include "tests/integration/support/tcp_proxy.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <set>
#include <thread>

namespace blackstart::test {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

struct Link {
  Link(tcp::socket from, asio::io_context& loop) : client(std::move(from)), server(loop) {}
  tcp::socket client, server;
  bool swallows = false;

  void close() {
    if (swallows) return;  // the end is lost as well
    client.close();
    server.close();
  }
  void reset() {
    boost::system::error_code ignored;  // it may have ended by itself
    client.set_option(tcp::socket::linger(true, 0), ignored);
    swallows = false;
    close();
  }
};

}  // namespace

struct TcpProxy::State {
  asio::io_context loop;
  tcp::acceptor acceptor{loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  tcp::endpoint target;
  std::set<std::shared_ptr<Link>> links;
  bool lets_in = true;
  std::chrono::milliseconds delay{};
  std::thread thread;

  // On the thread of the loop.
  void run(std::function<void()> change) {
    std::promise<void> done;
    asio::post(loop, [&] {
      change();
      done.set_value();
    });
    done.get_future().wait();
  }
};

namespace {

using State = TcpProxy::State;

asio::awaitable<void> pump(State& state, std::shared_ptr<Link> link, tcp::socket& from,
                           tcp::socket& to) {
  char piece[16384];
  try {
    while (true) {
      const size_t count = co_await from.async_read_some(asio::buffer(piece), asio::use_awaitable);
      if (link->swallows) continue;
      asio::steady_timer timer(state.loop, state.delay);
      if (state.delay.count() > 0) co_await timer.async_wait(asio::use_awaitable);
      co_await asio::async_write(to, asio::buffer(piece, count), asio::use_awaitable);
    }
  } catch (const std::exception&) {
    // One side has gone: so does the other.
  }
  link->close();
}

asio::awaitable<void> connect(State& state, std::shared_ptr<Link> link) {
  try {
    co_await link->server.async_connect(state.target, asio::use_awaitable);
  } catch (const std::exception&) {
    co_return link->close();
  }
  asio::co_spawn(state.loop, pump(state, link, link->client, link->server), asio::detached);
  asio::co_spawn(state.loop, pump(state, link, link->server, link->client), asio::detached);
}

asio::awaitable<void> accept_all(State& state) {
  while (true) {
    tcp::socket socket = co_await state.acceptor.async_accept(asio::use_awaitable);
    auto link = std::make_shared<Link>(std::move(socket), state.loop);
    if (!state.lets_in) {
      link->reset();
      continue;
    }
    state.links.insert(link);
    asio::co_spawn(state.loop, connect(state, link), asio::detached);
  }
}

// A filter that lets nothing through works before TCP does: nothing is acknowledged.
void drop_all_that_comes(tcp::socket& socket) {
  sock_filter nothing[] = {{BPF_RET | BPF_K, 0, 0, 0}};
  const sock_fprog program{1, nothing};
  if (::setsockopt(socket.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &program,
                   sizeof program) != 0)
    throw std::runtime_error("cannot attach a socket filter");
}

}  // namespace

TcpProxy::TcpProxy(int target_port) : state_(std::make_unique<State>()) {
  state_->target = {asio::ip::address_v4::loopback(), static_cast<unsigned short>(target_port)};
  asio::co_spawn(state_->loop, accept_all(*state_), asio::detached);
  state_->thread = std::thread([state = state_.get()] { state->loop.run(); });
}

TcpProxy::~TcpProxy() {
  state_->loop.stop();
  state_->thread.join();
}

int TcpProxy::port() const { return state_->acceptor.local_endpoint().port(); }

void TcpProxy::cut_off() {
  state_->run([this] {
    state_->lets_in = false;
    for (const auto& link : state_->links) link->reset();
    state_->links.clear();
  });
}

void TcpProxy::let_in() {
  state_->run([this] { state_->lets_in = true; });
}

void TcpProxy::drop_packets() {
  state_->run([this] {
    for (const auto& link : state_->links) {
      if (!link->client.is_open()) continue;
      link->swallows = true;
      drop_all_that_comes(link->client);
    }
  });
}

void TcpProxy::swallow() {
  state_->run([this] {
    for (const auto& link : state_->links) link->swallows = true;
  });
}

void TcpProxy::slow_down(std::chrono::milliseconds by) {
  state_->run([this, by] { state_->delay = by; });
}

}  // namespace blackstart::test

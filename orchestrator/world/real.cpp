#include "orchestrator/world/real.h"

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "orchestrator/world/async.h"
#include "orchestrator/world/failpoint_world.h"
#include "orchestrator/world/real_parts.h"

namespace blackstart {

namespace asio = boost::asio;

struct RealWorld::Parts {
  asio::io_context loop{1};  // one thread runs it; others only post
  std::unique_ptr<Clock> clock = real::make_clock();
  std::unique_ptr<Random> random = real::make_random();
  std::unique_ptr<Files> files = real::make_files();
  std::unique_ptr<Environment> environment = real::make_environment(*random);
  std::unique_ptr<Blocking> blocking = real::make_blocking(loop);
  std::unique_ptr<Processes> processes = real::make_processes(loop);
  std::unique_ptr<Http> http = real::make_http(loop, *clock, *environment);
#ifdef BLACKSTART_FAILPOINTS
  failpoints::FailpointProcesses shown_processes{*processes};
  failpoints::FailpointHttp shown_http{*http};
#else
  Processes& shown_processes = *processes;
  Http& shown_http = *http;
#endif
  World world{*clock, *random,      shown_processes, shown_http,
              *files, *environment, *blocking,       loop.get_executor()};
};

namespace {

// Who started us with nohup wants us to outlive the terminal.
bool hangup_is_ignored() {
  struct sigaction now {};
  return ::sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

// Calls back for every signal until it is closed.
struct SignalListener : std::enable_shared_from_this<SignalListener> {
  SignalListener(asio::io_context& loop, std::function<void(int, int)> callback)
      : signals(loop, SIGINT, SIGTERM), on_signal(std::move(callback)) {
    if (!hangup_is_ignored()) signals.add(SIGHUP);
  }

  void listen() {
    signals.async_wait(
        [self = shared_from_this()](const boost::system::error_code& error, int signal) {
          if (error || self->closed) return;
          // A terminal that goes away may say so twice; nobody is in a greater hurry for that.
          if (signal != SIGHUP || self->count == 0) ++self->count;
          if (self->on_signal) self->on_signal(signal, self->count);
          self->listen();
        });
  }

  void close() {
    closed = true;
    signals.cancel();
  }

  asio::signal_set signals;
  std::function<void(int, int)> on_signal;
  int count = 0;
  bool closed = false;
};

}  // namespace

RealWorld::RealWorld() : parts_(std::make_unique<Parts>()) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed pipe or connection is an error of that write
}

RealWorld::~RealWorld() = default;

World& RealWorld::world() { return parts_->world; }

void RealWorld::run(Task<void> task, std::function<void(int signal, int count)> on_signal) {
  asio::io_context& loop = parts_->loop;
  auto signals = std::make_shared<SignalListener>(loop, std::move(on_signal));
  signals->listen();
  std::exception_ptr failure;
  start(loop.get_executor(), std::move(task), [&](std::exception_ptr error) {
    failure = error;
    loop.stop();
  });
  loop.restart();
  loop.run();
  signals->close();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace blackstart

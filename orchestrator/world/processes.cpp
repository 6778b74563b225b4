#include <signal.h>

#include <set>

#include "orchestrator/world/async.h"
#include "orchestrator/world/child.h"
#include "orchestrator/world/daemon.h"
#include "orchestrator/world/real_parts.h"

namespace blackstart::real {
namespace {

namespace asio = boost::asio;

// A grandchild may keep the pipes open for ever; its words are not waited for longer than this.
constexpr Duration kPipesAfterExit = std::chrono::seconds(2);

class RealProcesses final : public Processes {
 public:
  explicit RealProcesses(asio::io_context& loop)
      : loop_(loop), clock_(make_clock()), daemons_(loop) {}

  Task<Exit> run(Command command) override {
    co_await throw_if_cancelled();
    auto child = std::make_shared<Child>(loop_, std::move(command), guard());
    Registered registered{children_, child.get()};
    children_->insert(child.get());
    auto pipes_closed = std::make_shared<Event>(loop_.get_executor());
    TaskGroup pumps(loop_.get_executor());
    pumps.spawn(pump(child, pipes_closed));
    std::exception_ptr interruption;
    try {
      co_await child->wait_for_exit();
    } catch (...) {
      interruption = std::current_exception();
    }
    if (interruption) co_await shielded(stop(child));
    co_await shielded(drain(pumps, pipes_closed));
    if (interruption) std::rethrow_exception(interruption);
    co_return child->finish();
  }

  Task<Daemon> start_daemon(Command command, std::string log_file) override {
    co_await throw_if_cancelled();
    co_return daemons_.start(command, log_file);
  }

  bool alive(const Daemon& daemon) const override { return daemons_.alive(daemon); }
  std::optional<Daemon> find(int pid) const override { return daemons_.find(pid); }
  Task<void> stop(Daemon daemon, Duration grace) override {
    return daemons_.stop(*clock_, daemon, grace);
  }

  void kill_all() override {
    for (Child* child : *children_) child->signal_group(SIGKILL);
  }

 private:
  // Made for the first program: most commands run none.
  std::shared_ptr<GroupGuard> guard() {
    if (!guard_) guard_ = std::make_shared<GroupGuard>();
    return guard_;
  }

  using Children = std::set<Child*>;
  // In kill_all()'s list for as long as it lives. Shared: a frame may outlive this object in the
  // loop.
  struct Registered {
    std::shared_ptr<Children> children;
    Child* child;
    ~Registered() { children->erase(child); }
  };

  static Task<void> pump(std::shared_ptr<Child> child, std::shared_ptr<Event> closed) {
    try {
      co_await child->pump();
    } catch (...) {
      child->signal_group(SIGKILL);  // nobody reads its output any more
      throw;
    }
    closed->set();
  }

  // Not reaped meanwhile, so that the number of the group stays its own to the end.
  Task<void> stop(std::shared_ptr<Child> child) {
    child->signal_group(SIGTERM);
    bool ended = true;
    try {
      co_await within(*clock_, clock_->now() + child->grace(), "", child->wait_for_exit());
    } catch (const Error& error) {
      if (error.error_class() != ErrorClass::kDeadline) throw;
      ended = false;
    }
    child->signal_group(SIGKILL);  // who is left of the group
    if (!ended) co_await child->wait_for_exit();
  }

  Task<void> drain(TaskGroup& pumps, std::shared_ptr<Event> closed) {
    bool all_closed = co_await wait_until(*clock_, clock_->now() + kPipesAfterExit, *closed);
    if (!all_closed) pumps.cancel();
    co_await pumps.join();
  }

  asio::io_context& loop_;
  std::unique_ptr<Clock> clock_;
  Daemons daemons_;
  std::shared_ptr<GroupGuard> guard_;
  std::shared_ptr<Children> children_ = std::make_shared<Children>();
};

}  // namespace

std::unique_ptr<Processes> make_processes(asio::io_context& loop) {
  return std::make_unique<RealProcesses>(loop);
}

}  // namespace blackstart::real

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "orchestrator/world/async.h"
#include "orchestrator/world/real_parts.h"

namespace blackstart::real {
namespace {

namespace asio = boost::asio;

struct Job {
  explicit Job(Executor executor) : ended(std::move(executor)) {}
  std::exception_ptr failure;
  Event ended;
};

// Takes `job` as a parameter: the frame must own it, as the caller may go away first.
Task<void> wait_for_end(std::shared_ptr<Job> job) { co_await job->ended.wait(); }

// One thread: SQLite and files see their writes in order without any further lock.
class RealBlocking final : public Blocking {
 public:
  explicit RealBlocking(asio::io_context& loop) : loop_(loop) {}
  ~RealBlocking() override { pool_.join(); }

  Task<void> run(std::function<void()> work) override {
    auto job = std::make_shared<Job>(loop_.get_executor());
    asio::post(pool_, [job, work = std::move(work), guard = asio::make_work_guard(loop_),
                       &loop = loop_]() mutable {
      try {
        work();
      } catch (...) {
        job->failure = std::current_exception();
      }
      work = nullptr;  // what it holds dies here, before the awaiter goes on
      asio::post(loop, [job = std::move(job)] { job->ended.set(); });
    });
    co_await shielded(wait_for_end(job));
    if (job->failure) std::rethrow_exception(job->failure);
  }

 private:
  asio::io_context& loop_;
  asio::thread_pool pool_{1};
};

}  // namespace

std::unique_ptr<Blocking> make_blocking(asio::io_context& loop) {
  return std::make_unique<RealBlocking>(loop);
}

}  // namespace blackstart::real

#include "tests/simulation/world/sim_world.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "orchestrator/world/failpoint.h"

namespace blackstart::sim {

namespace asio = boost::asio;

std::string SimRandom::bytes(size_t count) {
  std::string result(count, '\0');
  for (char& c : result) c = static_cast<char>(engine_());
  return result;
}

std::optional<std::string> SimEnvironment::get(const std::string& name) const {
  auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : std::optional(found->second);
}

Task<void> SimBlocking::run(std::function<void()> work) {
  co_await asio::post(asio::use_awaitable);
  work();
}

SimWorld::SimWorld(uint64_t seed)
    : loop_(std::make_unique<SimLoop>()),
      random_(seed),
      world_{clock_, random_,      shown_processes_, shown_http_,
             files_, environment_, blocking_,        loop_->get_executor()} {
  files_.make_folders("/work", 0755);
  files_.make_folders("/tmp", 0755);
#ifdef BLACKSTART_FAILPOINTS
  failpoints::set_handler([this](std::string_view name) { return pass_failpoint(name); });
#endif
}

SimWorld::~SimWorld() {
#ifdef BLACKSTART_FAILPOINTS
  failpoints::set_handler({});
#endif
  files_.freeze();
  loop_.reset();  // frames that are left refer to the rest
}

End SimWorld::run(Task<void> task, std::shared_ptr<void> memory) {
  bool ended = false;
  std::exception_ptr failure;
#ifdef BLACKSTART_FAILPOINTS
  passed_.clear();
#endif
  start(loop_->get_executor(), std::move(task), [&](std::exception_ptr error) {
    ended = true;
    failure = error;
  });
  try {
    drive(ended);
  } catch (...) {
    start_over(std::move(memory));  // the frames refer to what the caller is about to destroy
    throw;
  }
  if (crashed_) {
    start_over(std::move(memory));
    return End::kCrashed;
  }
  if (failure) std::rethrow_exception(failure);
  return End::kDone;
}

void SimWorld::drive(const bool& ended) {
  Duration limit = clock_.elapsed() + time_max;
  for (size_t step = 0; !ended && !crashed_; ++step) {
    if (step >= steps_max)
      throw std::runtime_error("the simulation does not end: " + what_is_open());
    loop_->restart();
    if (loop_->poll_one() > 0) continue;
    if (!clock_.advance()) throw std::runtime_error("the simulation is stuck: " + what_is_open());
    if (clock_.elapsed() > limit)
      throw std::runtime_error("the simulation takes too long: " + what_is_open());
  }
}

void SimWorld::start_over(std::shared_ptr<void> memory) {
  files_.freeze();
  loop_->discard_tasks();
  memory.reset();
  loop_ = std::make_unique<SimLoop>();
  world_.executor = loop_->get_executor();
  clock_.forget_sleepers();
  files_.thaw();
  environment_.new_process();
  crashed_ = false;
#ifdef BLACKSTART_FAILPOINTS
  crash_at_ = 0;
#endif
}

std::string SimWorld::what_is_open() const {
  std::string text = "at " + format_duration(clock_.elapsed()) + " of virtual time";
#ifdef BLACKSTART_FAILPOINTS
  if (!passed_.empty()) text += ", last failpoint " + passed_.back();
#endif
  for (const std::string& process : processes_.running()) text += "; runs: " + process;
  for (const std::string& request : http_.open()) text += "; unanswered: " + request;
  return text;
}

#ifdef BLACKSTART_FAILPOINTS
Task<void> SimWorld::pass_failpoint(std::string_view name) {
  passed_.emplace_back(name);
  if (passed_.size() != crash_at_) co_return;
  crash();
  Event never(world_.executor);
  co_await never.wait();
}
#endif

}  // namespace blackstart::sim

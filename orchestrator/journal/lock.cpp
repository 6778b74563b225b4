#include "orchestrator/journal/lock.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/error.h"

namespace blackstart::journal {
namespace {

constexpr size_t kHolderSizeMax = 64 * 1024;
constexpr auto kActivityInterval = std::chrono::seconds(1);

/// What lies beside the lock. Only its holder writes it, and takes it away before the lock is free.
std::string holder_file(const std::string& state_folder) { return state_folder + "/lock.json"; }

std::string text_of(const boost::json::object& holder, std::string_view key) {
  const auto* value = holder.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

int64_t number_of(const boost::json::object& holder, std::string_view key) {
  const auto* value = holder.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

/// Empty when it cannot be read: the holder may be about to write or to go.
boost::json::object read_holder(const World& world, const std::string& state_folder) {
  try {
    std::string text = world.files.read(holder_file(state_folder), kHolderSizeMax);
    boost::system::error_code problem;
    boost::json::value value = boost::json::parse(text, problem);
    return !problem && value.is_object() ? value.get_object() : boost::json::object();
  } catch (const Error&) {
    return {};
  }
}

/// A run that was killed left its data; the next holder may not have written its own yet.
bool is_stale(const World& world, const boost::json::object& holder) {
  if (text_of(holder, "host") != world.environment.host()) return false;
  auto running = world.processes.find(static_cast<int>(number_of(holder, "pid")));
  return !running || static_cast<int64_t>(running->start_time) != number_of(holder, "start_time");
}

std::string describe(const World& world, const boost::json::object& holder) {
  if (holder.empty() || is_stale(world, holder))
    return "it has only just started or is about to end";
  auto held =
      world.clock.wall_time() - WallTime(std::chrono::milliseconds(number_of(holder, "since_ms")));
  auto age = std::max(Duration::zero(), std::chrono::duration_cast<Duration>(held));
  std::string text = text_of(holder, "command") + " by " + text_of(holder, "user") + " on " +
                     text_of(holder, "host") + ", pid " + std::to_string(number_of(holder, "pid")) +
                     ", since " + text_of(holder, "since") + " (" + format_duration(age) + ")";
  std::string activity = text_of(holder, "activity");
  return activity.empty() ? text : text + ": " + activity;
}

Error locked(const World& world, const std::string& state_folder) {
  boost::json::object holder = read_holder(world, state_folder);
  Error error(ErrorClass::kLocked,
              "another run holds " + state_folder + ": " + describe(world, holder));
  return error.hint("wait until it has ended, or end it with Ctrl-C; it can be resumed");
}

boost::json::object describe_us(const World& world, const std::string& command) {
  int pid = world.environment.pid();
  auto us = world.processes.find(pid);
  WallTime now = world.clock.wall_time();
  boost::json::object holder;
  holder["user"] = world.environment.user();
  holder["host"] = world.environment.host();
  holder["pid"] = pid;
  holder["start_time"] = us ? static_cast<int64_t>(us->start_time) : int64_t{0};
  holder["since"] = format_utc(now);
  holder["since_ms"] =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  holder["command"] = command;
  holder["activity"] = "";
  return holder;
}

}  // namespace

struct RunLock::Holder {
  World& world;
  std::string state_folder;
  std::unique_ptr<FileLock> lock;
  boost::json::object data;
  Instant activity_written{};

  void write() { world.files.write(holder_file(state_folder), boost::json::serialize(data), 0600); }
};

RunLock::RunLock(std::unique_ptr<Holder> holder) : holder_(std::move(holder)) {}

std::unique_ptr<RunLock> RunLock::acquire(World& world, const std::string& state_folder,
                                          const std::string& command) {
  world.files.make_folders(state_folder);
  auto lock = world.files.try_lock(state_folder + "/lock");
  if (!lock) throw locked(world, state_folder);
  auto holder = std::make_unique<Holder>(
      Holder{world, state_folder, std::move(lock), describe_us(world, command), {}});
  holder->write();
  return std::unique_ptr<RunLock>(new RunLock(std::move(holder)));
}

RunLock::~RunLock() {
  try {
    holder_->world.files.remove_all(holder_file(holder_->state_folder));
  } catch (const Error&) {
    // Left behind it names a process that is gone, which the next reader sees.
  }
}

void RunLock::set_activity(const std::string& activity) {
  Instant now = holder_->world.clock.now();
  bool too_soon = now - holder_->activity_written < kActivityInterval;
  if (too_soon || text_of(holder_->data, "activity") == activity) return;
  holder_->activity_written = now;
  holder_->data["activity"] = activity;
  try {
    holder_->write();
  } catch (const Error&) {
    // It only informs; a full disk shows at the next write that matters.
  }
}

}  // namespace blackstart::journal

// Runs a test's coroutine in the real world.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "orchestrator/world/async.h"
#include "orchestrator/world/real.h"

namespace blackstart {

class RealWorldTest : public testing::Test {
 protected:
  RealWorldTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "blackstart-test-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~RealWorldTest() override { std::filesystem::remove_all(folder_); }

  World& world() { return real().world(); }
  void run(Task<void> task) { real().run(std::move(task), {}); }

  /// The result of a task, or its exception.
  template <class T>
  T result_of(Task<T> task) {
    std::optional<T> result;
    auto store = [](Task<T> inner, std::optional<T>& slot) -> Task<void> {
      slot = co_await std::move(inner);
    };
    run(store(std::move(task), result));
    return std::move(*result);
  }

  /// The Error that a task fails with.
  template <class T>
  Error error_of(Task<T> task) {
    try {
      if constexpr (std::is_void_v<T>) {
        run(std::move(task));
      } else {
        result_of(std::move(task));
      }
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "expected an Error";
    return Error(ErrorClass::kBug, "no error");
  }

  /// How long a call takes.
  template <class Call>
  Duration elapsed(Call call) {
    Instant start = world().clock.now();
    call();
    return std::chrono::duration_cast<Duration>(world().clock.now() - start);
  }

  Command shell(std::string script) {
    return {.program = "/bin/sh",
            .args = {"-c", std::move(script)},
            .environment = {{"PATH", "/usr/bin:/bin"}}};
  }

  /// A path in this test's own folder.
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  // Made when it is first needed: it has threads, and a test that forks must do so before there are
  // any (the sanitizer's allocator would be locked in the child for ever).
  RealWorld& real() { return real_ ? *real_ : real_.emplace(); }

  std::optional<RealWorld> real_;
  std::string folder_;
};

}  // namespace blackstart

// Runs programs for integration tests: argv, a deadline, captured output.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace blackstart::test {

struct Ran {
  int code = -1;  // exit code, or 128 + signal
  std::string out;
  std::string err;
  std::chrono::microseconds elapsed{0};
  long peak_kib = 0;  // resident memory at most: of it, or of us before it was started
  std::string all() const { return out + err; }
};

struct Invocation {
  std::vector<std::string> argv;                   // argv[0] is a path or found on PATH
  std::string folder;                              // working directory; empty = ours
  std::map<std::string, std::string> environment;  // on top of ours
  std::string input;
  std::chrono::seconds timeout{300};
};

/// Runs to the end; past the timeout the process group is killed and the test is failed.
Ran run(const Invocation& invocation);

/// A program that goes on beside the test; killed when destroyed.
class Background {
 public:
  explicit Background(const Invocation& invocation);
  ~Background();
  int pid() const;
  void signal(int number) const;
  Ran wait(std::chrono::seconds timeout);  // kills it past the timeout

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A folder that is removed with its content.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::string& path() const { return path_; }
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

std::string read_file(const std::string& path);
/// Looks again every 50 ms until `holds` or the time is up.
bool eventually(const std::function<bool()>& holds, std::chrono::seconds timeout);
/// Process ids whose command line contains `text`.
std::vector<int> processes_with(const std::string& text);

}  // namespace blackstart::test

// Cuts the chunks of a watch into frames, one a line.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "orchestrator/base/error.h"

namespace blackstart::kube {

class FrameSplitter {
 public:
  FrameSplitter(std::function<void(std::string_view)> on_line, size_t limit)
      : on_line_(std::move(on_line)), limit_(limit) {}

  /// Throws Error(kPermanent) when a line is longer than the limit, and what `on_line` throws.
  void feed(std::string_view chunk) {
    for (size_t end; (end = chunk.find('\n')) != std::string_view::npos;) {
      keep(chunk.substr(0, end));
      chunk.remove_prefix(end + 1);
      finish();
    }
    keep(chunk);
  }
  /// Hands out the last line, which has no line break.
  void finish() {
    const std::string line = std::exchange(line_, {});
    if (!line.empty()) on_line_(line);
  }

 private:
  void keep(std::string_view part) {
    if (line_.size() + part.size() > limit_)
      throw Error(ErrorClass::kPermanent, "a line of the answer is longer than 64 MiB");
    line_ += part;
  }

  std::function<void(std::string_view)> on_line_;
  size_t limit_;
  std::string line_;
};

}  // namespace blackstart::kube

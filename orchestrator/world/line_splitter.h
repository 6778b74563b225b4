// Cuts a stream of bytes into lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace blackstart::real {

/// Calls back for every whole line, without its line break. A line longer than kMaxLine comes in
/// pieces, so that memory stays bounded.
class LineSplitter {
 public:
  static constexpr size_t kMaxLine = 64 * 1024;
  using OnLine = std::function<void(std::string_view)>;

  explicit LineSplitter(OnLine on_line) : on_line_(std::move(on_line)) {}
  void feed(std::string_view data);
  /// The stream is over: what is left is a line too.
  void finish();

 private:
  void emit(std::string_view line);

  OnLine on_line_;
  std::string partial_;
};

}  // namespace blackstart::real

// An answer that is written as in HTTP/1.1, taken apart for HTTP/2.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace blackstart::faults {

struct Http1Answer {
  std::vector<std::pair<std::string, std::string>> headers;  // with ":status"; empty: not yet there
  std::string body;                                          // so much of it as has been added
  bool complete = false;

  /// More of its bytes. The head must come in one piece, and so must each chunk. Throws
  /// std::logic_error for what cannot be said in HTTP/2.
  void add(std::string text);

 private:
  void add_head(const std::string& head);
  void add_chunks(std::string text);
  bool chunked_ = false;
  size_t left_ = 0;  // of the body
};

}  // namespace blackstart::faults

#include "tests/unit/faults/http1_answer.h"

#include <stdexcept>

#include "orchestrator/base/text.h"

namespace blackstart::faults {

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

}  // namespace

void Http1Answer::add(std::string text) {
  if (headers.empty()) {
    const size_t end = text.find(kHeadEnd);
    if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos)
      throw std::logic_error("not to be said in HTTP/2: " + text);
    add_head(text.substr(0, end));
    text.erase(0, end + kHeadEnd.size());
  }
  if (chunked_) return add_chunks(std::move(text));
  left_ -= std::min(left_, text.size());
  body += text;
  complete = left_ == 0;
}

void Http1Answer::add_head(const std::string& head) {
  const std::vector<std::string> lines = split(head, '\n');
  headers.emplace_back(":status", lines[0].substr(9, 3));
  for (size_t i = 1; i < lines.size(); ++i) {
    const size_t colon = lines[i].find(':');
    const std::string name = lower_case(lines[i].substr(0, colon));
    const std::string value(trim(lines[i].substr(colon + 1)));
    if (name == "transfer-encoding") {
      chunked_ = true;  // HTTP/2 has its frames
    } else {
      headers.emplace_back(name, value);
    }
    if (name == "content-length") left_ = std::stoul(value);
  }
}

void Http1Answer::add_chunks(std::string text) {
  while (!text.empty()) {
    const size_t size = std::stoul(text, nullptr, 16);
    const size_t begin = text.find('\n') + 1;
    body += text.substr(begin, size);
    text.erase(0, begin + size + 2);
    complete = size == 0;
  }
}

}  // namespace blackstart::faults

#include "orchestrator/world/line_splitter.h"

#include <algorithm>

namespace blackstart::real {

void LineSplitter::feed(std::string_view data) {
  while (!data.empty()) {
    size_t room = kMaxLine - partial_.size();
    size_t end = data.substr(0, room + 1).find('\n');
    bool whole = end != std::string_view::npos;
    size_t taken = whole ? end : std::min(room, data.size());
    partial_.append(data.substr(0, taken));
    data.remove_prefix(taken + (whole ? 1 : 0));
    if (whole || (partial_.size() == kMaxLine && !data.empty())) emit(partial_);
  }
}

void LineSplitter::finish() {
  if (!partial_.empty()) emit(partial_);
}

void LineSplitter::emit(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (on_line_) on_line_(line);
  partial_.clear();
}

}  // namespace blackstart::real

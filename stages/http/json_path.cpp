#include "stages/http/json_path.h"

#include <charconv>
#include <stdexcept>
#include <string_view>

namespace blackstart::stages::http {
namespace {

/// Takes one step after the other from the front of a path.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {
    if (!text_.empty() && text_.front() == '$') ++at_;
  }

  bool at_end() const { return at_ == text_.size(); }

  std::variant<std::string, size_t> step() {
    if (text_[at_] == '.') return name();
    if (text_[at_] == '[') return bracket();
    fail("expected '.' or '['");
  }

 private:
  std::string name() {
    const size_t begin = ++at_;
    at_ = std::min(text_.find_first_of(".[", begin), text_.size());
    const std::string_view found = text_.substr(begin, at_ - begin);
    if (found.empty() || found.find_first_of("*?@]'\" ") != found.npos) {
      at_ = begin;
      fail("expected a name, in brackets and quotes if it is no plain one: ['a.b']");
    }
    return std::string(found);
  }

  std::variant<std::string, size_t> bracket() {
    const size_t begin = ++at_;
    const char quote = begin < text_.size() ? text_[begin] : '\0';
    if (quote == '\'' || quote == '"') return quoted(quote);
    size_t index = 0;
    const char* end = text_.data() + text_.size();
    const auto [rest, error] = std::from_chars(text_.data() + begin, end, index);
    if (error != std::errc()) fail("expected an index or a quoted name");
    at_ = static_cast<size_t>(rest - text_.data());
    close();
    return index;
  }

  std::string quoted(char quote) {
    std::string name;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      name += text_[at_];
    }
    if (at_end()) fail("expected a closing quote");
    ++at_;
    close();
    return name;
  }

  void close() {
    if (at_end() || text_[at_] != ']') fail("expected ']'");
    ++at_;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw std::invalid_argument(what + " at character " + std::to_string(at_ + 1) + " of '" +
                                std::string(text_) + "'");
  }

  std::string_view text_;
  size_t at_ = 0;
};

const boost::json::value* next(const boost::json::value& here, const std::string& name) {
  const auto* map = here.if_object();
  return map ? map->if_contains(name) : nullptr;
}

const boost::json::value* next(const boost::json::value& here, size_t index) {
  const auto* list = here.if_array();
  return list ? list->if_contains(index) : nullptr;
}

}  // namespace

JsonPath::JsonPath(const std::string& text) {
  Reader reader(text);
  while (!reader.at_end()) steps_.push_back(reader.step());
}

const boost::json::value* JsonPath::find(const boost::json::value& document) const {
  const boost::json::value* here = &document;
  for (const auto& step : steps_) {
    here = std::visit([here](const auto& key) { return next(*here, key); }, step);
    if (!here) return nullptr;
  }
  return here;
}

}  // namespace blackstart::stages::http

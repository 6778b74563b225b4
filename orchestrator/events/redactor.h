// Keeps secrets out of everything that is shown, logged or stored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace blackstart::events {

/// What stands in a secret's place.
inline constexpr std::string_view kMask = "***";

/// Replaces known secrets by kMask wherever they turn up: raw, in base64 (all three alignments,
/// both alphabets), in hex, URL-, JSON- or shell-escaped, with terminal escapes or line breaks in
/// between. Of a secret of several lines each line of 8 characters and more is a secret too, up to
/// 500. Secrets of fewer than 4 characters are not searched for: they would shred the text.
class Redactor {
 public:
  void add(std::string_view secret);
  std::string clean(std::string_view text) const;
  /// For what a tool may have wrapped: also removes pieces of 12 characters and more that touch the
  /// start or the end of a line, so that a secret cut in two by a line break does not show its
  /// halves.
  std::string clean_wrapped(std::string_view text) const;
  bool empty() const { return needles_.empty(); }

 private:
  void add_lines(std::string_view secret);
  void search_for(std::string needle);

  std::vector<std::string> needles_;  // free of control characters, each at least 4 characters
};

}  // namespace blackstart::events

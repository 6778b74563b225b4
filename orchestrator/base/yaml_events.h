// libyaml's parser as a stream of events. Internal to the YAML reader.
#pragma once

#include <yaml.h>

#include <string_view>

#include "orchestrator/base/error.h"

namespace blackstart::yaml {

/// Columns and lines as people count them. A column is a character, however many bytes it has.
inline Place place_of(const yaml_mark_t& mark, const std::string* file) {
  return {file, static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
}

/// Reads UTF-8 text, which outlives it. Nothing here recurses: deep input takes heap, not stack.
class EventReader {
 public:
  explicit EventReader(std::string_view text);  // std::bad_alloc
  ~EventReader();
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;

  /// The next event, valid until the call after it; null at the end and at a syntax error.
  const yaml_event_t* next();

  /// The syntax error that ended it, if one did, as a finding with its place and what to do.
  void report_error(const std::string* file, Diagnostics& diagnostics) const;

 private:
  std::string_view text_;
  yaml_parser_t parser_;
  yaml_event_t event_{};
};

}  // namespace blackstart::yaml

#include "orchestrator/base/yaml.h"

#include "orchestrator/base/yaml_builder.h"
#include "orchestrator/base/yaml_internal.h"

namespace blackstart::yaml {
namespace {

std::vector<Node> read_documents(std::string_view text, const std::string* file,
                                 const Limits& limits, Diagnostics& diagnostics) {
  EventReader events(text);
  TreeBuilder builder(file, limits, diagnostics);
  try {
    while (const yaml_event_t* event = events.next()) builder.take(*event);
    events.report_error(file, diagnostics);
  } catch (const LimitReached&) {
  }
  return builder.take_documents();
}

}  // namespace

std::vector<Node> parse(std::string_view text, std::string_view file, const Limits& limits,
                        Diagnostics& diagnostics) {
  const std::string* name = intern_file(file);
  if (text.size() > limits.bytes) {
    diagnostics.error({name, 0, 0}, "the file has " + std::to_string(text.size()) +
                                        " bytes, more than the " + std::to_string(limits.bytes) +
                                        " allowed");
    return {};
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!limits.expressions || text.find("${{") == std::string_view::npos)
    return read_documents(text, name, limits, diagnostics);
  return read_documents(mask_expressions(text), name, limits, diagnostics);
}

}  // namespace blackstart::yaml

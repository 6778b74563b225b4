#include "orchestrator/events/writer.h"

namespace blackstart::events {

Writer writer_to(std::FILE* stream) {
  return [stream](std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stream) == text.size() &&
           std::fflush(stream) == 0;
  };
}

}  // namespace blackstart::events

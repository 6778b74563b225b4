#include "orchestrator/world/text_file.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "orchestrator/base/error.h"
#include "orchestrator/world/descriptor.h"

namespace blackstart {
namespace {

bool write_all(const real::Descriptor& file, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

std::function<bool(std::string_view)> open_text_file(const std::string& path) {
  auto file = std::make_shared<real::Descriptor>(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!*file)
    throw Error(ErrorClass::kPermanent, "cannot write " + path).because(std::strerror(errno));
  return [file](std::string_view text) { return write_all(*file, text); };
}

}  // namespace blackstart

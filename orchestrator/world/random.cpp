#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "orchestrator/base/error.h"
#include "orchestrator/world/real_parts.h"

namespace blackstart::real {
namespace {

void fill(char* data, size_t count) {
  while (count > 0) {
    ssize_t got = getrandom(data, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(ErrorClass::kPermanent, "the system gives no random bytes")
          .because(std::strerror(errno));
    data += got;
    count -= static_cast<size_t>(got);
  }
}

class RealRandom final : public Random {
 public:
  double uniform() override {
    uint64_t bits = 0;
    fill(reinterpret_cast<char*>(&bits), sizeof bits);
    return static_cast<double>(bits >> 11) * 0x1.0p-53;  // what a double's mantissa holds
  }

  std::string bytes(size_t count) override {
    std::string result(count, '\0');
    fill(result.data(), count);
    return result;
  }
};

}  // namespace

std::unique_ptr<Random> make_random() { return std::make_unique<RealRandom>(); }

}  // namespace blackstart::real

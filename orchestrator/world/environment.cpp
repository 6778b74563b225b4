#include <arpa/inet.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "orchestrator/base/error.h"
#include "orchestrator/world/real_parts.h"

namespace blackstart::real {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorClass::kPermanent, what).because(std::strerror(errno));
}

struct PortRange {
  int first = 0;
  int last = 0;  // itself included
};

// Above what is in common use, below Kubernetes' node ports, and so below Linux' usual range for
// outgoing connections (from 32768 on), which may take any port of theirs between our choice and
// its use.
constexpr PortRange kPorts{20000, 29999};
constexpr int kEnoughPorts = 1000;
constexpr int kPortAttempts = 1000;

// Below the range of outgoing connections; all of kPorts where that leaves next to none.
PortRange ports_to_choose_from() {
  int first_outgoing = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_outgoing;
  int last = std::min(kPorts.last, first_outgoing - 1);
  return last - kPorts.first < kEnoughPorts ? kPorts : PortRange{kPorts.first, last};
}

// Bound on all addresses at once, so that a socket on any of them is noticed; never listens.
bool is_free(int port) {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) fail("cannot look for a free port");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  address.sin_port = htons(static_cast<uint16_t>(port));
  bool bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return bound;
}

class RealEnvironment final : public Environment {
 public:
  explicit RealEnvironment(Random& random) : random_(random) {}

  std::optional<std::string> get(const std::string& name) const override {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }

  std::map<std::string, std::string> all() const override {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string line = *entry;
      const size_t equals = line.find('=');
      if (equals != std::string::npos) variables[line.substr(0, equals)] = line.substr(equals + 1);
    }
    return variables;
  }

  std::string working_directory() const override {
    std::error_code error;
    auto path = std::filesystem::current_path(error);
    if (error)
      throw Error(ErrorClass::kPermanent, "the working directory is gone").because(error.message());
    return path.string();
  }

  std::string executable_path() const override {
    std::error_code error;
    auto path = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error)
      throw Error(ErrorClass::kPermanent, "cannot find this program's own path: /proc/self/exe")
          .because(error.message());
    return path.string();
  }

  std::string user() const override {
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
      return entry.pw_name;
    return std::to_string(geteuid());
  }

  std::string host() const override {
    char name[256] = {};
    if (gethostname(name, sizeof name - 1) != 0) fail("cannot read the host name");
    return name;
  }

  int pid() const override { return getpid(); }

  int free_port() override {
    PortRange range = ports_to_choose_from();
    for (int attempt = 0; attempt < kPortAttempts; ++attempt) {
      int port = range.first + static_cast<int>(random_.uniform() * (range.last - range.first + 1));
      if (!given_ports_.contains(port) && is_free(port)) return *given_ports_.insert(port).first;
    }
    throw Error(ErrorClass::kPermanent, "no free port on 127.0.0.1")
        .because("tried " + std::to_string(kPortAttempts) + " from " + std::to_string(range.first) +
                 " to " + std::to_string(range.last) + "; " + std::to_string(given_ports_.size()) +
                 " were given out already");
  }

 private:
  Random& random_;
  std::set<int> given_ports_;
};

}  // namespace

std::unique_ptr<Environment> make_environment(Random& random) {
  return std::make_unique<RealEnvironment>(random);
}

}  // namespace blackstart::real

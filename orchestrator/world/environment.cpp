#include <arpa/inet.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

#include "orchestrator/base/error.h"
#include "orchestrator/world/real_parts.h"

namespace blackstart::real {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorClass::kPermanent, what).because(std::strerror(errno));
}

int port_of_a_fresh_socket() {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) fail("cannot look for a free port");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  bool bound = ::bind(socket, raw, length) == 0 && ::getsockname(socket, raw, &length) == 0;
  int error = errno;
  ::close(socket);
  errno = error;
  if (!bound) fail("cannot look for a free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

class RealEnvironment final : public Environment {
 public:
  std::optional<std::string> get(const std::string& name) const override {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
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
    for (int attempt = 0; attempt < 1000; ++attempt) {
      int port = port_of_a_fresh_socket();
      if (given_ports_.insert(port).second) return port;
    }
    throw Error(ErrorClass::kPermanent, "no free port on 127.0.0.1")
        .because(std::to_string(given_ports_.size()) + " were given out already");
  }

 private:
  std::set<int> given_ports_;
};

}  // namespace

std::unique_ptr<Environment> make_environment() { return std::make_unique<RealEnvironment>(); }

}  // namespace blackstart::real

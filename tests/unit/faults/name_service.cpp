#include "tests/unit/faults/name_service.h"

#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <map>
#include <mutex>

namespace blackstart::faults {

namespace {

struct Names {
  std::mutex mutex;
  std::condition_variable released;
  std::map<std::string, std::vector<std::string>> addresses;  // guarded by mutex
  std::string hanging;                                        // guarded by mutex

  static Names& get() {
    static Names names;
    return names;
  }
};

}  // namespace

void NameService::set(const std::string& name, std::vector<std::string> addresses) {
  std::lock_guard lock(Names::get().mutex);
  Names::get().addresses[name] = std::move(addresses);
}

void NameService::hang(const std::string& name) {
  std::lock_guard lock(Names::get().mutex);
  Names::get().hanging = name;
}

void NameService::release() {
  std::lock_guard lock(Names::get().mutex);
  Names::get().hanging.clear();
  Names::get().addresses.clear();
  Names::get().released.notify_all();
}

std::vector<std::string> look_up(const std::string& name) {
  Names& names = Names::get();
  std::unique_lock lock(names.mutex);
  names.released.wait(lock, [&] { return names.hanging != name; });
  return names.addresses[name];
}

}  // namespace blackstart::faults

using Ask = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

// Each address by itself, one after the other in the list.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  static const Ask ask = reinterpret_cast<Ask>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (name == nullptr || !std::string_view(name).ends_with(".test"))
    return ask(name, service, hints, found);
  *found = nullptr;
  addrinfo** end = found;
  for (const std::string& address : blackstart::faults::look_up(name)) {
    addrinfo wanted = *hints;
    wanted.ai_flags |= AI_NUMERICHOST;
    if (ask(address.c_str(), service, &wanted, end) != 0) continue;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return *found == nullptr ? EAI_NONAME : 0;
}

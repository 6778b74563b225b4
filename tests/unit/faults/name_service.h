// The name service of these tests: it answers for names that end with ".test". It takes the place
// of getaddrinfo in the whole test program, and passes all other names on.
#pragma once

#include <string>
#include <vector>

namespace blackstart::faults {

/// What a name leads to. Thread-safe: curl asks in threads of its own.
struct NameService {
  static void set(const std::string& name, std::vector<std::string> addresses);
  /// The question is not answered before release().
  static void hang(const std::string& name);
  /// Answers what hangs and forgets all names, which do not exist then.
  static void release();
};

}  // namespace blackstart::faults

// What an API server without any fault answers: it has the configmap "one", and at some time "two".
#pragma once

#include <string>

#include "tests/unit/faults/fault_server.h"

namespace blackstart::faults {

class GoodApi {
 public:
  /// Discovery, a list, an object, or what came of a write.
  std::string answer(const Request& request) const;
  /// The head of a watch and all events after the version that it starts from.
  std::string watch_from(const Request& request) const;
  void add_two() { has_two_ = true; }
  /// A watch of one who knows of "two": whether it still comes is a matter of chance.
  bool is_afterwards(const Request& request) const;

 private:
  std::string list() const;
  bool has_two_ = false;
};

/// A frame of a watch: {"type": …, "object": …}.
std::string frame(const std::string& type, const std::string& object);
/// A configmap with this name and resourceVersion.
std::string config_map(const std::string& name, const std::string& version);

}  // namespace blackstart::faults

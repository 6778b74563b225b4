// Where a thing was written: the position that every diagnostic about user input carries.
#pragma once

#include <string>
#include <string_view>

namespace blackstart {

/// A position in a text file. Cheap to copy: the file name is interned for the life of the process.
struct Place {
  const std::string* file = nullptr;  // never owned; from intern_file(), or null when unknown
  int line = 0;                       // 1-based; 0 = the whole file
  int column = 0;                     // 1-based; 0 = the whole line

  /// "plan.yaml:12:7", as much of it as is known; empty when nothing is.
  std::string to_string() const;
  bool known() const { return file != nullptr; }
};

/// Orders by file name, then line, then column.
bool operator<(const Place& left, const Place& right);
bool operator==(const Place& left, const Place& right);

/// Returns a name that lives as long as the process, the same one for equal names.
const std::string* intern_file(std::string_view name);

}  // namespace blackstart

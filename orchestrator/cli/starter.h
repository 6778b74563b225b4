// The starter repository that `init` writes: plans/quickstart, embedded into the program.
#pragma once

#include <span>
#include <string_view>

namespace blackstart::cli {

struct StarterFile {
  std::string_view path;  // relative to the repository
  std::string_view content;
};

/// All of them, sorted by path; live as long as the program.
std::span<const StarterFile> starter_files();

}  // namespace blackstart::cli

// A file that is written piece by piece for as long as the program runs.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace blackstart {

/// Opens `path` (absolute), emptied or made with mode 0600. What is returned passes a piece on at
/// once, false = it could not; its last copy closes the file. Throws Error(kPermanent) naming the
/// path and the system's reason.
std::function<bool(std::string_view)> open_text_file(const std::string& path);

}  // namespace blackstart

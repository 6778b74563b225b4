// Commands as people type them.
#pragma once

#include <string>
#include <string_view>

namespace blackstart {

/// `word` as a POSIX shell takes it for one word: quoted when it has to be.
std::string shell_word(std::string_view word);

}  // namespace blackstart

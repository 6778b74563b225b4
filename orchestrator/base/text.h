// Small text tools that several rooms need.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace blackstart {

using Duration = std::chrono::milliseconds;

/// The candidate nearest to `name` by edit distance, if it is near enough to be meant.
std::optional<std::string> did_you_mean(std::string_view name,
                                        std::span<const std::string> candidates);
/// "did you mean 'X'?" or, when nothing is near, "known: A, B, C".
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

std::string join(std::span<const std::string> parts, std::string_view separator);
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
/// ASCII only: other bytes stay.
std::string lower_case(std::string_view text);

/// Reads a Go duration as Kubernetes tools write them ("90s", "1h30m", "250ms"); nullopt if it is
/// none.
std::optional<Duration> parse_duration(std::string_view text);
/// "250ms", "4.2s", "1m12s", "2h05m".
std::string format_duration(Duration duration);
/// "3 objects", "1 object".
std::string count_of(size_t count, std::string_view singular, std::string_view plural = {});

/// Lower-case hexadecimal SHA-256.
std::string sha256_hex(std::string_view data);
/// SHA-256 fed in pieces, so that large files never stand in memory as a whole.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view data);
  std::string hex();  // ends the digest; call once

 private:
  void* state_;
};

/// Standard base64 with padding; decode drops line breaks; nullopt for anything else.
std::string base64_encode(std::string_view data);
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace blackstart

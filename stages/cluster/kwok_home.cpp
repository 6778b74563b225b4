#include "stages/cluster/kwok_home.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <set>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"

namespace blackstart::stages {
namespace {

constexpr std::array<const char*, 5> kComponents = {"etcd", "kube-apiserver", "kwok-controller",
                                                    "kube-controller-manager", "kube-scheduler"};
/// Nothing serves without these two, so that kwokctl waits for what cannot come.
constexpr std::array<std::string_view, 2> kWaitedFor = {"etcd", "kube-apiserver"};
/// The system's own words for EADDRINUSE, which every component passes on.
constexpr std::string_view kPortTaken = "address already in use";
constexpr size_t kSmallFile = 1u << 20;
constexpr size_t kLogLimit = 64u << 20;
constexpr size_t kLineLimit = 300;

std::optional<int> number(std::string_view text) {
  int value = 0;
  text = trim(text);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The content, or nothing when it cannot be read: a process may end while we look at it.
std::string read_or_empty(const Files& files, const std::string& path, size_t limit) {
  if (files.kind(path) != FileKind::kFile) return {};
  try {
    return files.read(path, limit);
  } catch (const Error&) {
    return {};
  }
}

/// klog marks lines "E1231 …" and "F1231 …", etcd and kwok write JSON with a level, the rest begins
/// in words.
bool tells_failure(std::string_view line) {
  bool klog = line.size() > 1 && (line[0] == 'E' || line[0] == 'F') &&
              std::isdigit(static_cast<unsigned char>(line[1]));
  constexpr std::array<std::string_view, 6> kMarks = {R"("level":"error")",
                                                      R"("level":"fatal")",
                                                      R"("level":"ERROR")",
                                                      "panic:",
                                                      "error:",
                                                      "Error:"};
  return klog || std::any_of(kMarks.begin(), kMarks.end(), [line](std::string_view mark) {
           return line.find(mark) != line.npos;
         });
}

}  // namespace

KwokHome::KwokHome(World& world, std::string folder, std::string name)
    : world_(world), folder_(std::move(folder)), name_(std::move(name)) {}

bool KwokHome::begun() const { return world_.files.kind(cluster_folder()) != FileKind::kMissing; }

bool KwokHome::finished() const {
  return begun() && trim(read_or_empty(world_.files, folder_ + "/finished", kSmallFile)) == name_;
}

void KwokHome::mark_finished() { world_.files.write(folder_ + "/finished", name_ + "\n"); }

std::string KwokHome::other_cluster() const {
  std::string clusters = work_folder() + "/clusters";
  if (world_.files.kind(clusters) != FileKind::kFolder) return {};
  for (const std::string& cluster : world_.files.list(clusters))
    if (cluster != name_) return cluster;
  return {};
}

void KwokHome::write_kubeconfig() {
  world_.files.write(kubeconfig(),
                     world_.files.read(cluster_folder() + "/kubeconfig.yaml", kSmallFile));
}

bool KwokHome::is_ours(int pid) const {
  std::string line =
      read_or_empty(world_.files, "/proc/" + std::to_string(pid) + "/cmdline", kSmallFile);
  return line.starts_with(cluster_folder() + "/bin/");
}

std::optional<int> KwokHome::noted_pid(const std::string& component) const {
  return number(
      read_or_empty(world_.files, cluster_folder() + "/pids/" + component + ".pid", kSmallFile));
}

std::vector<std::string> KwokHome::stopped() const {
  std::vector<std::string> names;
  for (const char* component : kComponents) {
    auto pid = noted_pid(component);
    if (!pid || !is_ours(*pid)) names.push_back(component);
  }
  return names;
}

std::optional<std::string> KwokHome::lost() const {
  for (const char* component : kComponents) {
    auto pid = noted_pid(component);
    if (!pid || world_.processes.find(*pid)) continue;
    bool is_waited_for = std::ranges::find(kWaitedFor, component) != kWaitedFor.end();
    if (is_waited_for || last_line(component).find(kPortTaken) != std::string::npos)
      return component;
  }
  return std::nullopt;
}

std::string KwokHome::last_line(const std::string& component) const {
  std::string log =
      read_or_empty(world_.files, cluster_folder() + "/logs/" + component + ".log", kLogLimit);
  std::string_view text = trim(log);
  text = text.substr(text.rfind('\n') + 1);
  return std::string(text.substr(0, kLineLimit));
}

std::string KwokHome::last_words(const std::string& component) const {
  std::string line = last_line(component);
  return tells_failure(line) ? line : std::string();
}

std::vector<int> KwokHome::processes() const {
  std::vector<int> found;
  if (world_.files.kind("/proc") != FileKind::kFolder) return found;
  for (const std::string& entry : world_.files.list("/proc"))
    if (auto pid = number(entry); pid && is_ours(*pid)) found.push_back(*pid);
  return found;
}

Task<void> KwokHome::tidy() {
  std::set<int> known;
  for (const char* component : kComponents) {
    auto pid = noted_pid(component);
    if (pid && is_ours(*pid)) {
      known.insert(*pid);
    } else {
      world_.files.remove_all(cluster_folder() + "/pids/" + component + ".pid");
    }
  }
  for (int pid : processes())
    if (auto daemon = known.contains(pid) ? std::nullopt : world_.processes.find(pid))
      co_await world_.processes.stop(*daemon, std::chrono::seconds(5));
}

Task<void> KwokHome::kill_all() {
  for (int pid : processes())
    if (auto daemon = world_.processes.find(pid))
      co_await world_.processes.stop(*daemon, Duration::zero());
}

void KwokHome::remove() { world_.files.remove_all(folder_); }

}  // namespace blackstart::stages

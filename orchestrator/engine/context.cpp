#include "orchestrator/engine/context.h"

#include "orchestrator/base/text.h"
#include "orchestrator/world/failpoint.h"

namespace blackstart::engine {
namespace {

constexpr size_t kIdentityLimit = 4096;  // bytes; one is about 150

std::string identity_file(const std::string& state_folder) {
  return state_folder + "/cluster-identity";
}

}  // namespace

void Shared::forget(const std::string& name) {
  std::erase_if(items_, [&](const auto& item) {
    if (item.first.second != name) return false;
    std::erase(order_, item.second);
    return true;
  });
}

Shared::~Shared() {
  items_.clear();
  while (!order_.empty()) order_.pop_back();
}

std::string stages_folder(const std::string& state_folder) { return state_folder + "/stages"; }
std::string tools_folder(const std::string& state_folder) { return state_folder + "/tools"; }

std::optional<std::string> known_cluster(const Files& files, const std::string& state_folder) {
  const std::string file = identity_file(state_folder);
  if (files.kind(file) == FileKind::kMissing) return std::nullopt;
  return std::string(trim(files.read(file, kIdentityLimit)));
}

void forget_known_cluster(Files& files, const std::string& state_folder) {
  files.remove_all(identity_file(state_folder));
}

Context::Context(World& world, events::Bus& bus, journal::Journal& journal, Shared& shared,
                 Tools& tools, const plan::Plan& plan, const plan::Stage& stage,
                 std::string state_folder)
    : world_(world),
      bus_(bus),
      journal_(journal),
      shared_(shared),
      tools_(tools),
      plan_(plan),
      stage_(stage),
      state_folder_(std::move(state_folder)) {}

void Context::set_inputs(plan::Value options, plan::Value cluster, std::string digest,
                         const plan::Outputs& known) {
  options_ = std::move(options);
  cluster_ = std::move(cluster);
  digest_ = std::move(digest);
  known_ = &known;
}

std::unique_ptr<Context> Context::beside(const plan::Stage& other) const {
  auto context = std::make_unique<Context>(world_, bus_, journal_, shared_, tools_, plan_, other,
                                           state_folder_);
  context->read_only = true;
  context->set_inputs(plan::resolve_options(other, plan_, *known_), cluster_, {}, *known_);
  return context;
}

const plan::Value& Context::option(std::string_view name) const {
  static const plan::Value none;
  const plan::Value* value = options_.find(name);
  return value == nullptr ? none : *value;
}

bool Context::has(std::string_view name) const { return !option(name).is_null(); }
std::string Context::text(std::string_view name) const { return option(name).as_text(); }
int64_t Context::number(std::string_view name) const { return option(name).as_integer(); }
bool Context::flag(std::string_view name) const { return has(name) && option(name).as_boolean(); }

std::string Context::text_or(std::string_view name, std::string fallback) const {
  return has(name) ? text(name) : std::move(fallback);
}

std::vector<std::string> Context::texts(std::string_view name) const {
  std::vector<std::string> result;
  if (!has(name)) return result;
  for (const plan::Value& item : option(name).as_list()) result.push_back(item.as_text());
  return result;
}

std::string Context::folder() {
  std::string path = stages_folder(state_folder_) + "/" + stage_.name;
  if (!read_only && world_.files.kind(path) == FileKind::kMissing) world_.files.make_folders(path);
  return path;
}

std::string Context::tool_home(const std::string& tool) const {
  return tools_folder(state_folder_) + "/" + tool;
}

std::optional<journal::StageRecord> Context::record() const { return journal_.stage(stage_.name); }
std::vector<journal::OpenIntent> Context::interrupted() const {
  return journal_.open_intents(stage_.name);
}

std::optional<std::string> Context::known_cluster() const {
  return engine::known_cluster(world_.files, state_folder_);
}

Task<void> Context::remember_cluster(std::string identity) {
  if (read_only) co_return;
  BLACKSTART_FAILPOINT("identity.write.before");
  world_.files.write(identity_file(state_folder_), identity + "\n");
  BLACKSTART_FAILPOINT("identity.write.after");
}

Task<void> Context::forget_cluster() {
  if (read_only) co_return;
  BLACKSTART_FAILPOINT("identity.remove.before");
  forget_known_cluster(world_.files, state_folder_);
  BLACKSTART_FAILPOINT("identity.remove.after");
}

void Context::output(Stream stream, std::string_view line) {
  bus_.publish(events::OutputLine{stage_.name, stream == Stream::kStdout ? "stdout" : "stderr",
                                  std::string(line)});
}

std::function<void(Stream, std::string_view)> Context::output_lines() {
  return [this](Stream stream, std::string_view line) { output(stream, line); };
}

void Context::progress(std::string what) {
  progress_ = std::move(what);
  if (on_progress) on_progress();
}

void Context::warn(std::string message, std::string hint) {
  bus_.publish(events::Notice{
      "warning", stage_.name, stage_.place.to_string(), std::move(message), {}, std::move(hint)});
}

void Context::redact(std::string_view secret) { bus_.redactor().add(secret); }

}  // namespace blackstart::engine

#include "orchestrator/kube/watch.h"

#include <boost/json/array.hpp>
#include <boost/system/system_error.hpp>

#include "orchestrator/kube/json.h"

namespace blackstart::kube {

namespace json = boost::json;

namespace {

constexpr Duration kBetweenLists = std::chrono::milliseconds(800);
constexpr Duration kFirstPause = std::chrono::milliseconds(800);
constexpr Duration kLongestPause = std::chrono::seconds(30);
constexpr Duration kLongestUnknownPause = std::chrono::seconds(5);
constexpr Duration kCalmAfter =
    std::chrono::seconds(5);  // a watch that lived so long was no failure
// The server is asked to end a watch after five to ten minutes, so that watches spread over servers
// that come and go. One that it does not end by then is ended here.
constexpr int kShortestWatchSeconds = 300;
constexpr Duration kGrace = std::chrono::seconds(30);
// A watch that broke off after so long a silence may have kept news from us: what is there is
// listed. That is cheap where it was only peace.
constexpr Duration kTrustedFor = std::chrono::seconds(60);

using Key = std::pair<std::string, std::string>;  // namespace, name

Key key_of(const json::value& object) {
  return {text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})};
}

std::string selectors(const Selection& selection) {
  std::string query;
  if (!selection.name.empty())
    query = "fieldSelector=" + percent_encode("metadata.name=" + selection.name);
  if (selection.label_selector.empty()) return query;
  return query + (query.empty() ? "" : "&") +
         "labelSelector=" + percent_encode(selection.label_selector);
}

}  // namespace

// Shared with the background task and the stream's callback, which may both outlive a look.
struct Informer::State {
  State(Client& c, Selection s)
      : client(c), selection(std::move(s)), news(c.world().executor), group(c.world().executor) {}

  Client& client;
  Selection selection;
  std::string path;  // of the collection; empty while the kind is unknown
  std::map<Key, json::value> items;
  std::string version;  // to go on from; empty = list first
  std::string trouble;
  Event news;
  TaskGroup group;
  Instant listed_at{};
  Instant watched_at{};
  Instant heard_at{};  // of the last frame of the running watch, or its beginning
  int failures = 0;

  void set_trouble(std::string text) {
    if (text == trouble) return;
    trouble = std::move(text);
    news.set();
  }
  void replace(std::vector<json::value> fresh);
  void on_frame(std::string_view line);
  void on_event(const std::string& type, json::value object);
  std::string watch_query(int seconds) const;
  Duration pause();
  Duration pause_after(const Error& error, int status, bool watched);

  // The background task's steps keep the state alive by themselves.
  static Task<void> list(std::shared_ptr<State> state);
  static Task<void> step(std::shared_ptr<State> state);
  static Task<Duration> step_and_ask_for_pause(std::shared_ptr<State> state);
  static Task<void> keep_up(std::shared_ptr<State> state);
};

// What a list shows differently from before is news; what is equal is none.
void Informer::State::replace(std::vector<json::value> fresh) {
  std::map<Key, json::value> next;
  bool changed = fresh.size() != items.size();
  for (json::value& object : fresh) {
    const Key key = key_of(object);
    const auto old = items.find(key);
    changed |= old == items.end() || text_at(old->second, {"metadata", "resourceVersion"}) !=
                                         text_at(object, {"metadata", "resourceVersion"});
    next[key] = std::move(object);
  }
  items = std::move(next);
  if (changed) news.set();
}

void Informer::State::on_frame(std::string_view line) {
  json::value frame;
  try {
    frame = parse_json(line);
  } catch (const boost::system::system_error& error) {
    throw Error(ErrorClass::kTransient, "the watch sent what is no JSON")
        .because(error.code().message());
  }
  json::value* object = frame.is_object() ? frame.get_object().if_contains("object") : nullptr;
  if (object) on_event(text_at(frame, {"type"}), std::move(*object));
}

void Informer::State::on_event(const std::string& type, json::value object) {
  if (type == "ERROR") {
    const int code = static_cast<int>(number_at(object, {"code"}));
    const bool expired = code == 410 || text_at(object, {"reason"}) == "Expired";
    throw ApiError(ErrorClass::kTransient, "the watch was ended by the server",
                   expired ? 410 : code, text_at(object, {"reason"}))
        .because(text_at(object, {"message"}));
  }
  version = text_at(object, {"metadata", "resourceVersion"}, version);
  if (type == "BOOKMARK") return;
  const Key key = key_of(object);
  if (type == "DELETED") {
    items.erase(key);
  } else {
    items[key] = std::move(object);
  }
  news.set();
}

std::string Informer::State::watch_query(int seconds) const {
  const std::string query = selectors(selection);
  return path + '?' + query + (query.empty() ? "" : "&") +
         "watch=true&allowWatchBookmarks=true&timeoutSeconds=" + std::to_string(seconds) +
         "&resourceVersion=" + percent_encode(version);
}

Duration Informer::State::pause() {
  const Duration doubled = kFirstPause * (1 << std::min(failures, 10));
  const double jitter = 1.0 + client.world().random.uniform();
  const Duration longest = path.empty() ? kLongestUnknownPause : kLongestPause;
  ++failures;
  return std::min(Duration(static_cast<int64_t>(static_cast<double>(doubled.count()) * jitter)),
                  longest);
}

// Lists the selection; an unknown kind has no objects.
Task<void> Informer::State::list(std::shared_ptr<State> state) {
  Client& client = state->client;
  Clock& clock = client.world().clock;
  co_await clock.sleep_until(state->listed_at + kBetweenLists);
  state->listed_at = clock.now();
  auto resource = co_await client.resource(state->selection.api_version, state->selection.kind);
  if (!resource) {
    const bool was_known = !state->path.empty();
    state->path.clear();
    state->version.clear();
    state->replace({});
    if (was_known) state->news.set();
    co_return;
  }
  const std::string path = path_of(*resource, state->selection.name_space, {});
  Client::List found = co_await client.list_path(path, selectors(state->selection));
  const bool is_new = state->path != path;
  state->path = path;
  state->version = std::move(found.resource_version);
  state->replace(std::move(found.items));
  if (is_new) state->news.set();
}

// One list or one watch. Throws when it failed; returns when there is something to go on with.
Task<void> Informer::State::step(std::shared_ptr<State> state) {
  World& world = state->client.world();
  if (state->version.empty()) {
    co_await list(state);
    state->set_trouble("");
    co_return;
  }
  state->watched_at = state->heard_at = world.clock.now();
  const int seconds =
      kShortestWatchSeconds + static_cast<int>(world.random.uniform() * kShortestWatchSeconds);
  const std::function<void(std::string_view)> on_line = [state, &world](std::string_view line) {
    state->heard_at = world.clock.now();
    state->set_trouble("");
    state->on_frame(line);
  };
  co_await state->client.stream(state->watch_query(seconds), std::chrono::seconds(seconds) + kGrace,
                                on_line);
}

// What a failed list or watch means for the next one; returns how long to pause first.
Duration Informer::State::pause_after(const Error& error, int status, bool watched) {
  const Instant now = client.world().clock.now();
  if (watched && now - watched_at >= kCalmAfter) failures = 0;
  if (watched && (status == 410 || now - heard_at >= kTrustedFor)) {
    version.clear();
    return Duration::zero();  // list() keeps the distance between lists
  }
  if (status == 404) {  // the kind is gone, or not served any more
    client.forget_discovery();
    version.clear();
  }
  set_trouble(error.full_text());
  return std::max(pause(), Duration(std::chrono::seconds(error.retry_after_seconds())));
}

Task<Duration> Informer::State::step_and_ask_for_pause(std::shared_ptr<State> state) {
  const bool watched = !state->version.empty();
  try {
    co_await step(state);
  } catch (const ApiError& error) {
    co_return state->pause_after(error, error.status(), watched);
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::kCancelled) throw;
    co_return state->pause_after(error, 0, watched);
  }
  if (state->version.empty()) co_return state->pause();  // the kind is unknown
  const bool calm = !watched || state->client.world().clock.now() - state->watched_at >= kCalmAfter;
  if (calm && watched) state->failures = 0;
  // A server that ends watches at once must not be asked in a loop.
  co_return calm ? Duration::zero() : state->pause();
}

Task<void> Informer::State::keep_up(std::shared_ptr<State> state) {
  Clock& clock = state->client.world().clock;
  while (true) {
    const Duration pause = co_await step_and_ask_for_pause(state);
    co_await clock.sleep_until(clock.now() + pause);
  }
}

Informer::Informer(Client& client, Selection selection)
    : state_(std::make_shared<State>(client, std::move(selection))) {}
Informer::~Informer() = default;

Task<void> Informer::start() {
  auto state = state_;
  co_await State::list(state);
  state->news.reset();
  state->group.spawn(State::keep_up(state));
}

Task<void> Informer::stop() {
  auto state = state_;
  state->group.cancel();
  try {
    co_await state->group.join();
  } catch (...) {
    // Its own end by cancellation; trouble has been told through trouble().
  }
}

bool Informer::known() const { return !state_->path.empty(); }

std::vector<const json::value*> Informer::items() const {
  std::vector<const json::value*> result;
  for (const auto& [key, object] : state_->items) result.push_back(&object);
  return result;
}

const json::value* Informer::find(const std::string& name_space, const std::string& name) const {
  const auto found = state_->items.find({name_space, name});
  return found == state_->items.end() ? nullptr : &found->second;
}

Task<void> Informer::changed() {
  auto state = state_;
  co_await state->news.wait();
  state->news.reset();
}

std::string Informer::trouble() const { return state_->trouble; }

namespace {

Task<void> wait_for(Informer& informer, Selection selection,
                    std::function<bool(const json::value*)> satisfied) {
  co_await informer.start();
  while (!satisfied(informer.find(selection.name_space, selection.name)))
    co_await informer.changed();
}

}  // namespace

Task<void> watch_until(Client& client, Selection selection, Duration limit, std::string what,
                       std::function<bool(const json::value*)> satisfied) {
  Informer informer(client, selection);
  const Instant deadline = client.world().clock.now() + limit;
  std::exception_ptr failure;
  try {
    co_await within(client.world().clock, deadline, std::move(what),
                    wait_for(informer, selection, std::move(satisfied)));
  } catch (...) {
    failure = std::current_exception();
  }
  co_await shielded(informer.stop());
  if (failure) std::rethrow_exception(failure);
}

}  // namespace blackstart::kube

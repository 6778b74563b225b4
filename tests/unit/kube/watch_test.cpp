#include "orchestrator/kube/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/unit/kube/scripted_world.h"

namespace blackstart::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

std::string item(const std::string& name, int version) {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"a","resourceVersion":")" +
         std::to_string(version) + "\"}}";
}

std::string frame(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

HttpResponse listed(int version, const std::string& items) {
  return json_response(
      200, R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":")" +
               std::to_string(version) + R"("},"items":[)" + items + "]}");
}

/// What one watch request does: sends frames, waits, then ends, fails or goes on for ever.
struct Stream {
  std::vector<std::string> frames;
  Duration lasts = seconds(60);
  HttpResponse end = json_response(200, "");
  std::optional<Error> fault = std::nullopt;
};

class WatchTest : public testing::Test {
 protected:
  WatchTest() {
    scripted.serve_discovery();
    scripted.answer("/namespaces/a/configmaps?limit", {listed(10, item("one", 1))});
    auto answers = scripted.http.handler;
    scripted.http.handler = [this, answers](HttpRequest request) -> Task<HttpResponse> {
      if (request.url.find("watch=true") == std::string::npos) return answers(std::move(request));
      return serve(this, std::move(request));
    };
  }

  static Task<HttpResponse> serve(WatchTest* test, HttpRequest request) {
    Stream stream{.lasts = std::chrono::hours(1)};
    if (!test->streams.empty()) {
      stream = test->streams.front();
      test->streams.pop_front();
    }
    const Instant begin = test->scripted.world().clock.now() + milliseconds(1);
    if (!stream.frames.empty()) co_await test->scripted.world().clock.sleep_until(begin);
    for (const std::string& one : stream.frames) request.on_body(one);
    const Instant heard = test->scripted.world().clock.now();
    const bool silent = stream.lasts > request.idle_timeout && request.idle_timeout.count() > 0;
    const Instant end = heard + (silent ? request.idle_timeout : stream.lasts);
    co_await test->scripted.world().clock.sleep_until(end);
    if (silent) throw Error(ErrorClass::kTransient, "the server fell silent");
    if (stream.fault) throw *stream.fault;
    co_return stream.end;
  }

  // Follows the informer and notes what it knows after each change, until `looks` of them.
  std::vector<std::string> follow(size_t looks) {
    std::vector<std::string> seen;
    Informer informer(scripted.client(), Selection("v1", "ConfigMap", "a"));
    scripted.run(run(informer, looks, seen));
    return seen;
  }

  static Task<void> run(Informer& informer, size_t looks, std::vector<std::string>& seen) {
    co_await informer.start();
    seen.push_back(describe(informer));
    while (seen.size() < looks) {
      co_await informer.changed();
      seen.push_back(describe(informer));
    }
    co_await informer.stop();
  }

  static std::string describe(const Informer& informer) {
    std::string text;
    for (const auto* object : informer.items()) {
      text += text_at(*object, {"metadata", "name"}) + "@" +
              text_at(*object, {"metadata", "resourceVersion"}) + " ";
    }
    if (!informer.known()) text += "unknown ";
    if (!informer.trouble().empty()) text += "!";
    return text;
  }

  // The resource versions that watches and lists were begun from; "list" for a list.
  std::vector<std::string> begun() const {
    std::vector<std::string> result;
    for (const HttpRequest& request : scripted.http.requests) {
      if (request.url.find("/configmaps?") == std::string::npos) continue;
      const size_t at = request.url.find("resourceVersion=");
      result.push_back(at == std::string::npos ? "list" : request.url.substr(at + 16));
    }
    return result;
  }

  // The virtual time until the stream with the last frame was asked for.
  Duration before_last_frame() const { return scripted.elapsed() - milliseconds(1); }

  ScriptedWorld scripted;
  std::deque<Stream> streams;
};

using testing::ElementsAre;

TEST_F(WatchTest, ShowsAdditionsChangesAndRemovals) {
  streams = {{.frames = {frame("ADDED", item("two", 11))}, .lasts = seconds(5)},
             {.frames = {frame("MODIFIED", item("two", 12))}, .lasts = seconds(5)},
             {.frames = {frame("DELETED", item("two", 13))}, .lasts = seconds(5)}};
  EXPECT_THAT(follow(4), ElementsAre("one@1 ", "one@1 two@11 ", "one@1 two@12 ", "one@1 "));
  EXPECT_THAT(begun(), ElementsAre("list", "10", "11", "12"));
}

TEST_F(WatchTest, JoinsFramesThatComeInPieces) {
  const std::string whole = frame("ADDED", item("two", 11));
  streams = {{.frames = {whole.substr(0, 20), whole.substr(20, 1), whole.substr(21)}}};
  EXPECT_THAT(follow(2), ElementsAre("one@1 ", "one@1 two@11 "));
}

TEST_F(WatchTest, ResumesFromTheLastBookmark) {
  streams = {{.frames = {frame("BOOKMARK", item("", 50))}},
             {.frames = {frame("ADDED", item("two", 51))}}};
  EXPECT_THAT(follow(2), ElementsAre("one@1 ", "one@1 two@51 "));
  EXPECT_THAT(begun(), ElementsAre("list", "10", "50"));
}

TEST_F(WatchTest, ResumesAfterADroppedConnectionAndTellsOfTheTrouble) {
  streams = {{.lasts = seconds(10), .fault = Error(ErrorClass::kTransient, "reset")},
             {.frames = {frame("ADDED", item("two", 11))}}};
  EXPECT_THAT(follow(3), ElementsAre("one@1 ", "one@1 !", "one@1 two@11 "));
  EXPECT_THAT(begun(), ElementsAre("list", "10", "10"));
}

TEST_F(WatchTest, ListsAgainAfter410AsStatus_AndMissesNothing) {
  scripted.answer(
      "/namespaces/a/configmaps?limit",
      {listed(10, item("one", 1)), listed(90, item("one", 80) + "," + item("new", 85))});
  streams = {{.lasts = milliseconds(0),
              .end = status_response(410, "Expired", "too old resource version")},
             {.frames = {frame("ADDED", item("two", 91))}}};
  EXPECT_THAT(follow(3), ElementsAre("one@1 ", "new@85 one@80 ", "new@85 one@80 two@91 "));
  EXPECT_THAT(begun(), ElementsAre("list", "10", "list", "90"));
  EXPECT_EQ(before_last_frame(), milliseconds(800));  // between the two lists
}

TEST_F(WatchTest, ListsAgainAfter410InTheStream) {
  scripted.answer("/namespaces/a/configmaps?limit", {listed(10, item("one", 1)), listed(90, "")});
  const std::string gone =
      R"({"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"})";
  streams = {{.frames = {frame("ERROR", gone)}, .lasts = milliseconds(0)}};
  EXPECT_THAT(follow(2), ElementsAre("one@1 ", ""));
  EXPECT_THAT(begun(), ElementsAre("list", "10", "list", "90"));
}

TEST_F(WatchTest, ThatAlwaysEndsWith410DoesNotFloodTheServer) {
  for (int i = 0; i < 20; ++i)
    streams.push_back({.lasts = milliseconds(0), .end = status_response(410, "Expired", "x")});
  streams.push_back({.frames = {frame("ADDED", item("two", 11))}});
  follow(2);
  EXPECT_EQ(before_last_frame(), milliseconds(20 * 800));
}

TEST_F(WatchTest, AListThatShowsNothingNewIsNoNews) {
  streams = {{.lasts = seconds(1), .end = status_response(410, "Expired", "x")},
             {.frames = {frame("ADDED", item("two", 11))}}};
  EXPECT_THAT(follow(2), ElementsAre("one@1 ", "one@1 two@11 "));
}

TEST_F(WatchTest, ThatFallsSilentIsNotBelieved_AndWhatIsThereIsListed) {
  scripted.answer("/namespaces/a/configmaps?limit",
                  {listed(10, item("one", 1)), listed(90, item("kept from us", 80))});
  streams = {{.lasts = std::chrono::hours(1)}};
  EXPECT_THAT(follow(2), ElementsAre("one@1 ", "kept from us@80 "));
  EXPECT_LE(scripted.elapsed(), seconds(90));
  EXPECT_THAT(begun(), ElementsAre("list", "10", "list", "90"));
}

TEST_F(WatchTest, IsEndedByUsSoonAfterTheServerShouldHave) {
  streams = {{.frames = {frame("ADDED", item("two", 11))}}};
  follow(2);
  const HttpRequest& watch = scripted.http.requests.back();
  EXPECT_THAT(watch.url, HasSubstr("timeoutSeconds=450"));
  EXPECT_EQ(watch.total_timeout, seconds(480));
  EXPECT_GT(watch.idle_timeout, seconds(60)) << "a bookmark comes every minute";
}

TEST_F(WatchTest, BacksOffWhileListsFail_AndEndsItsTroubleWithTheFirstThatDoesNot) {
  const HttpResponse down = status_response(500, "InternalError", "etcd is gone");
  std::vector<HttpResponse> answers = {listed(10, item("one", 1))};
  answers.insert(answers.end(), 4 * 5, down);  // each list is tried four times
  answers.push_back(listed(90, item("one", 1)));
  scripted.answer("/namespaces/a/configmaps?limit", answers);
  streams = {{.lasts = seconds(9), .end = status_response(410, "Expired", "too old")}};
  EXPECT_THAT(follow(3), ElementsAre("one@1 ", "one@1 !", "one@1 "));
  const Duration tries = 5 * milliseconds(1200 + 2400 + 4800);
  EXPECT_EQ(scripted.elapsed(),
            seconds(9) + tries + milliseconds(1200 + 2400 + 4800 + 9600 + 19200));
}

TEST_F(WatchTest, ThatTheServerEndsAtOnceBacksOff) {
  for (int i = 0; i < 4; ++i) streams.push_back({.lasts = milliseconds(0)});
  streams.push_back({.frames = {frame("ADDED", item("two", 11))}});
  follow(2);
  EXPECT_EQ(before_last_frame(), milliseconds(1200 + 2400 + 4800 + 9600));
}

TEST_F(WatchTest, ThatEndsAfterItsTimeGoesOnWithoutPause) {
  streams = {{.lasts = seconds(70)}, {.frames = {frame("ADDED", item("two", 11))}}};
  follow(2);
  EXPECT_EQ(before_last_frame(), seconds(70));
}

TEST_F(WatchTest, BacksOffWhileNobodyAnswers_AndNeverLongerThan30Seconds) {
  for (int i = 0; i < 10; ++i)
    streams.push_back(
        {.lasts = milliseconds(0), .fault = Error(ErrorClass::kUnreachable, "refused")});
  streams.push_back({.frames = {frame("ADDED", item("two", 11))}});
  EXPECT_THAT(follow(3), ElementsAre("one@1 ", "one@1 !", "one@1 two@11 "));
  EXPECT_EQ(before_last_frame(), milliseconds(1200 + 2400 + 4800 + 9600 + 19200) + 5 * seconds(30));
}

TEST_F(WatchTest, BreaksOffWhatIsNoJson) {
  streams = {{.frames = {"<html>\n"}, .lasts = seconds(9)},
             {.frames = {frame("ADDED", item("two", 11))}}};
  EXPECT_THAT(follow(3), ElementsAre("one@1 ", "one@1 !", "one@1 two@11 "));
}

TEST_F(WatchTest, BreaksOffALineWithoutEnd) {
  const std::string megabyte(1 << 20, ' ');
  streams = {{.frames = std::vector<std::string>(65, megabyte)},
             {.frames = {frame("ADDED", item("two", 11))}}};
  EXPECT_THAT(follow(3), ElementsAre("one@1 ", "one@1 !", "one@1 two@11 "));
}

TEST_F(WatchTest, OfAnUnknownKindWaitsUntilItIsThere) {
  Informer informer(scripted.client(), Selection("x.io/v1", "Thing", "a"));
  scripted.answer("/things?limit", {listed(10, item("one", 1))});
  auto learn = [](ScriptedWorld& world) -> Task<void> {
    const Instant then = world.world().clock.now() + seconds(20);
    co_await world.world().clock.sleep_until(then);
    world.serve_discovery({{"x.io/v1", "Thing", "things", true}});
  };
  std::vector<std::string> seen;
  std::vector<std::function<Task<void>()>> both = {[&] { return run(informer, 2, seen); },
                                                   [&] { return learn(scripted); }};
  scripted.run(run_all(scripted.world().executor, both, 2));
  EXPECT_THAT(seen, ElementsAre("unknown ", "one@1 "));
  EXPECT_LE(scripted.elapsed(), seconds(25));
}

TEST_F(WatchTest, OfAKindThatIsRemovedForgetsItsObjects) {
  scripted.answer("/namespaces/a/configmaps?limit", {listed(10, item("one", 1))});
  streams = {{.lasts = seconds(9),
              .end = status_response(404, "NotFound",
                                     "the server could not find the requested resource")}};
  Informer informer(scripted.client(), Selection("v1", "ConfigMap", "a"));
  std::vector<std::string> seen;
  auto forget = [](ScriptedWorld& world) -> Task<void> {
    const Instant then = world.world().clock.now() + seconds(5);
    co_await world.world().clock.sleep_until(then);
    world.answer("https://api/api",
                 {json_response(200, R"({"kind":"APIGroupDiscoveryList","items":[]})")});
  };
  std::vector<std::function<Task<void>()>> both = {[&] { return run(informer, 3, seen); },
                                                   [&] { return forget(scripted); }};
  scripted.run(run_all(scripted.world().executor, both, 2));
  EXPECT_THAT(seen, ElementsAre("one@1 ", "one@1 !", "unknown "));
}

TEST_F(WatchTest, StartThrowsWhatTheListThrows_AndMayBeCalledAgain) {
  scripted.answer(
      "/namespaces/a/configmaps?limit",
      {status_response(403, "Forbidden", "User \"u\" cannot list"), listed(10, item("one", 1))});
  Informer informer(scripted.client(), Selection("v1", "ConfigMap", "a"));
  EXPECT_THROW(scripted.run(informer.start()), Error);
  std::vector<std::string> seen;
  scripted.run(run(informer, 1, seen));
  EXPECT_THAT(seen, ElementsAre("one@1 "));
}

TEST_F(WatchTest, AsksForBookmarksAndSelectsByNameAndLabel) {
  Informer informer(scripted.client(),
                    Selection("v1", "ConfigMap", "a", "one", "app=x,tier in (a)"));
  scripted.answer("/namespaces/a/configmaps?field", {listed(10, "")});
  auto task = [](Informer& view, Clock& clock) -> Task<void> {
    co_await view.start();
    const Instant then = clock.now() + seconds(1);
    co_await clock.sleep_until(then);
    co_await view.stop();
  };
  scripted.run(task(informer, scripted.world().clock));
  EXPECT_THAT(
      scripted.http.requests.back().url,
      HasSubstr("/configmaps?fieldSelector=metadata.name%3Done&labelSelector=app%3Dx%2Ctier%20in%"
                "20%28a%29&"
                "watch=true&allowWatchBookmarks=true&timeoutSeconds=450&resourceVersion=10"));
}

TEST_F(WatchTest, UntilEndsWithWhatThePredicateThrows) {
  auto throws = [](const boost::json::value*) -> bool {
    throw Error(ErrorClass::kPermanent, "never");
  };
  EXPECT_THROW(scripted.run(watch_until(scripted.client(), Selection("v1", "ConfigMap", "a", "one"),
                                        seconds(9), "late", throws)),
               Error);
}

}  // namespace
}  // namespace blackstart::kube

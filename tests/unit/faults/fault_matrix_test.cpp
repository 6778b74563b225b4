// The fault matrix: every fault for every kind of request, with what comes of it, how many requests
// the server saw, and how long it took on virtual time. BLACKSTART_SHOW_FAULTS=1 prints it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "orchestrator/world/http_multi.h"
#include "tests/support/gzip.h"
#include "tests/unit/faults/bad_network.h"
#include "tests/unit/faults/fault_world.h"
#include "tests/unit/faults/good_api.h"
#include "tests/unit/faults/name_service.h"

namespace blackstart::faults {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Want {
  std::string result;
  size_t requests;
  Duration took;
  std::string words = {};  // in the error, or in what troubled the watch
};

using Setup = std::function<void(FaultWorld&)>;
using Wants = std::array<Want, std::size(kVerbs)>;  // in the order of kVerbs

struct Row {
  std::string fault;
  Setup begin;
  Wants wants;
  Setup prepare = nullptr;  // before the first contact
};

// --- what is wanted ---

Want ok(size_t requests, Duration took) { return {"ok", requests, took}; }
Wants each(const Want& get, const Want& patch, const Want& apply, const Want& remove,
           const Want& watch) {
  return {get, patch, apply, remove, watch};
}
Wants all(const Want& want) { return each(want, want, want, want, want); }
/// Requests fail like that, and a watch tells of it and goes on trying.
Wants fail(const Want& want, const Want& watch) { return each(want, want, want, want, watch); }
/// It lasted so long, and was asked for again after the first pause; but for what must not be.
Wants retried(const Duration lasted = 0ms, const std::string& words = {}) {
  const Want again = ok(2, lasted + 1200ms);
  const Want unknown{"transient", 1, lasted, "whether it was done is not known"};
  Want watch = again;
  watch.words = words;
  return each(again, unknown, again, again, watch);
}

constexpr Duration kTwoTries = 10s + 1200ms + 10s;

// --- how faults come ---

Setup in_a_row(std::deque<Fault> faults) {
  return [faults](FaultWorld& world) { world.server.script = faults; };
}
Setup once(const Fault& fault) { return in_a_row({fault}); }
Setup for_ever(const Fault& fault) {
  return [fault](FaultWorld& world) {
    world.server.script = {fault};
    world.server.for_ever = world.lasts = true;
  };
}
Setup on_a_kept_connection(const Setup& setup) {
  return [setup](FaultWorld& world) {
    world.on_new_connection = false;
    setup(world);
  };
}
Setup shows(const test::Certificate& certificate) {
  return [&certificate](FaultWorld& world) {
    world.lasts = true;
    world.server.use(certificate);
  };
}
Setup refuses(std::deque<Refusal> refusals) {
  return [refusals](FaultWorld& world) { world.server.refusals = refusals; };
}
void nothing(FaultWorld&) {}

Task<void> send_late(Exchange& exchange, std::string part, Duration after) {
  co_await exchange.clock().sleep_until(exchange.clock().now() + after);
  co_await exchange.send(std::move(part));
  co_await exchange.hold();
}
/// Falls silent after these bytes, which come late.
Fault answer_late_and_hold(std::string part, Duration after) {
  return [=](Exchange& exchange) { return send_late(exchange, part, after); };
}

/// Status of an HTTP date, `seconds` after the begin of virtual time.
std::string date_after(int seconds) {
  const time_t when = 1'767'225'600 + 3600 + seconds;  // VirtualClock begins an hour into 2026
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", ::gmtime(&when));
  return text;
}

bool shown() { return ::getenv("BLACKSTART_SHOW_FAULTS") != nullptr; }

std::string cell(const Outcome& outcome) {
  return outcome.result + " " + std::to_string(outcome.requests) + "x " +
         format_duration(outcome.took);
}

Outcome outcome_of(const Row& row, Verb verb) {
  FaultWorld world;
  if (row.prepare) row.prepare(world);
  const Outcome outcome = world.run(verb, row.begin);
  NameService::release();
  return outcome;
}

void check(const Row& row) {
  if (shown()) std::printf("%-36s", row.fault.c_str());
  for (const Verb verb : kVerbs) {
    SCOPED_TRACE(row.fault + ", " + to_string(verb));
    const Want& want = row.wants[static_cast<size_t>(verb)];
    const Outcome outcome = outcome_of(row, verb);
    EXPECT_EQ(outcome.result, want.result) << outcome.text;
    EXPECT_EQ(outcome.requests, want.requests) << outcome.text;
    EXPECT_EQ(outcome.took.count(), want.took.count()) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr(want.words));
    if (shown()) std::printf("| %-24s", cell(outcome).c_str());
  }
  if (shown()) std::printf("\n");
}

void check_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) check(row);
}

Row over_http2(Row row) {
  row.fault += ", HTTP/2";
  row.prepare = [before = row.prepare](FaultWorld& world) {
    world.server.http2 = true;
    if (before) before(world);
  };
  return row;
}

/// Whichever of the two is spoken, the same is to come of it.
void check_over_both(const std::vector<Row>& rows) {
  check_all(rows);
  for (const Row& row : rows) check(over_http2(row));
}

TEST(FaultMatrix, Throttling) {
  const auto busy = [](const std::string& headers) {
    return status(429, "TooManyRequests", "too many requests", headers);
  };
  const auto starting = status(503, "ServiceUnavailable", "starting", "Retry-After: 3\r\n");
  check_over_both({
      {"429", once(busy("")), all(ok(2, 1200ms))},
      {"429, Retry-After: 1", once(busy("Retry-After: 1\r\n")), all(ok(2, 1200ms))},
      {"429, Retry-After: 5", once(busy("Retry-After: 5\r\n")), all(ok(2, 5s))},
      {"429, Retry-After: 600", once(busy("Retry-After: 600\r\n")), all(ok(2, 60s))},
      {"429, Retry-After: a date in 7 s", once(busy("Retry-After: " + date_after(7) + "\r\n")),
       all(ok(2, 7s))},
      {"429, Retry-After: a date that was", once(busy("Retry-After: " + date_after(-9) + "\r\n")),
       all(ok(2, 1200ms))},
      {"429 for ever", for_ever(busy("")),
       fail({"throttled", 6, 37200ms, "throttled by the API server, tried 6 times"},
            {"trouble", 1, 0ms, "too many requests"})},
      {"429, Retry-After: 5, for ever", for_ever(busy("Retry-After: 5\r\n")),
       fail({"throttled", 6, 5s + 5s + 5s + 9600ms + 19200ms, "throttled by the API server"},
            {"trouble", 1, 0ms, "too many requests"})},
      {"503, Retry-After: 3", once(starting), all(ok(2, 3s))},
  });
}

TEST(FaultMatrix, FailuresOfTheServer) {
  const auto fails = [](int code) { return status(code, "InternalError", "etcd is gone"); };
  Wants for_ever_wanted = fail({"transient", 4, 8400ms, "etcd is gone: tried 4 times"},
                               {"trouble", 1, 0ms, "etcd is gone"});
  for_ever_wanted[1] = {"transient", 1, 0ms, "etcd is gone: whether it was done is not known"};
  check_over_both({
      {"500", once(fails(500)), retried()},
      {"502", once(fails(502)), retried()},
      {"503", once(fails(503)), retried()},
      {"504", once(fails(504)), retried()},
      {"500 for ever", for_ever(fails(500)), for_ever_wanted},
      {"reset after the request", once(reset()), retried()},
      {"closed after the request", once(close_silently()), retried()},
  });
  check_all({
      // A kept connection breaks often: what may be repeated is, at once.
      {"reset of a kept connection", on_a_kept_connection(once(reset())),
       each(ok(2, 0ms), {"transient", 1, 0ms}, ok(2, 0ms), ok(2, 0ms), ok(2, 0ms))},
      {"close of a kept connection", on_a_kept_connection(once(close_silently())),
       each(ok(2, 0ms), {"transient", 1, 0ms}, ok(2, 0ms), ok(2, 0ms), ok(2, 0ms))},
  });
}

TEST(FaultMatrix, Conflicts) {
  const Want conflict{"conflict", 1, 0ms};
  const Fault moved = status(409, "Conflict", "the object has been modified");
  check_over_both({
      {"409 Conflict", once(moved),
       each(ok(2, 1200ms), conflict, ok(2, 1200ms), conflict, ok(2, 1200ms))},
      {"409 AlreadyExists", once(status(409, "AlreadyExists", "exists")),
       fail(conflict, ok(2, 1200ms))},
  });
}

TEST(FaultMatrix, Refusals_AreToldAtOnce) {
  const auto refuses_with = [](int code, const char* reason, const std::string& message,
                               const std::string& headers = {}) {
    return for_ever(status(code, reason, message, headers));
  };
  const auto refused = [](const std::string& result, const std::string& words) {
    return fail({result, 1, 0ms, words}, {"trouble", 1, 0ms, words});
  };
  check_over_both({
      {"401", refuses_with(401, "Unauthorized", "Unauthorized"),
       refused("authentication", "Unauthorized")},
      {"401, clock two hours ahead",
       refuses_with(401, "Unauthorized", "Unauthorized", "Date: " + date_after(-7200) + "\r\n"),
       refused("authentication", "this machine's clock is 2h00m ahead of the API server's")},
      {"403", refuses_with(403, "Forbidden", "User \\\"u\\\" cannot do it"),
       refused("authentication", "User \"u\" cannot do it")},
      {"410", once(status(410, "Expired", "too old")),
       fail({"transient", 1, 0ms, "too old"}, ok(2, 800ms))},
  });
}

TEST(FaultMatrix, ServersThatAreNotTrusted_AreToldAtOnce) {
  const auto& certificates = Certificates::get();
  const auto refused = [](const std::string& words) {
    return fail({"authentication", 0, 0ms, words}, {"trouble", 0, 0ms, words});
  };
  const std::vector<Row> rows = {
      {"unknown CA", shows(certificates.unknown_ca),
       refused("the server's certificate is not trusted")},
      {"expired certificate", shows(certificates.expired),
       refused("the server's certificate has expired")},
      {"certificate of tomorrow", shows(certificates.future),
       refused("the server's certificate is not valid yet")},
      {"certificate for another host", shows(certificates.other_name),
       refused("the server's certificate is for another name")},
  };
  check_over_both(rows);
  for (const Row& row : rows) {
    const Outcome outcome = outcome_of(row, Verb::kApply);
    EXPECT_EQ(outcome.connections, 1u) << row.fault;
    EXPECT_NE(outcome.hint, "") << row.fault;
  }
}

TEST(FaultMatrix, Silence) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n";
  // Before it answers a write the server may ask its webhooks; a watch is silent while all is well.
  Wants no_answer = retried(65s);
  no_answer[0] = no_answer[4] = ok(2, 15s + 1200ms);
  Wants no_body = retried(15s);
  no_body[4] = ok(2, 75s);
  Wants late = retried(35s, "no byte came for 15.0s");
  late[0] = late[4] = ok(2, 15s + 1200ms);
  late[2] = late[3] = ok(2, 35s + 1200ms);
  Wants drip = retried(90s);
  drip[0] = ok(2, 60s + 1200ms);
  drip[4] = ok(2, 480s);
  check_over_both({
      {"no answer", once(answer_and_hold("")), no_answer},
      {"silence after the headers", once(answer_and_hold(head)), no_body},
      {"silence after headers that came late", once(answer_late_and_hold(head, 20s)), late},
      {"silence in the body", once(answer_and_hold(head + "{\"a\":")), no_body},
      {"a byte every 5 s, for ever", once(answer_slowly(chunked_head(), "1\r\n \r\n", 5s)), drip},
  });
}

TEST(FaultMatrix, BrokenAnswers) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n";
  Wants no_json = retried(0ms, "the watch sent what is no JSON");
  no_json[3] = ok(1, 0ms);  // the answer to DELETE is not read
  const std::string twice =
      R"({"kind":"ConfigMap","metadata":{"name":"zwei","name":"two","namespace":"a"}})";
  check_all({
      {"truncated body", once(answer_and_close(head + "{\"a\":")), retried()},
      {"broken chunk", once(answer(chunked_head() + "zz\r\n")), retried()},
      {"broken gzip", once(answer(whole("no gzip", "Content-Encoding: gzip\r\n"))), retried()},
      {"no HTTP", once(answer_and_close("SSH-2.0-OpenSSH_9.2p1\r\n")), retried()},
      {"invalid UTF-8", once(answer(whole("{\"a\":\"\xff\"}\n"))), no_json},
      {"a page of HTML", once(answer(whole("<html>hello</html>\n"))), no_json},
      {"empty body", once(answer(whole(""))),
       each(ok(2, 1200ms), {"transient", 1, 0ms}, ok(2, 1200ms), ok(1, 0ms), ok(2, 1200ms))},
      // As every client of Kubernetes reads it: the last one counts.
      {"duplicate keys", once(answer(whole(frame("ADDED", twice)))), all(ok(1, 0ms))},
  });
}

TEST(FaultMatrix, AnswersWithoutEnd) {
  const std::string big(65u << 20, ' ');
  const std::string packed = test::gzip(big);
  ASSERT_LT(packed.size(), 100'000u);
  std::string headers;
  for (int i = 0; i < 400; ++i)
    headers += "X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
  const Want too_large{"permanent", 1, 0ms, "longer than the limit of 67108864 bytes"};
  Want line = ok(2, 1200ms);
  line.words = "longer than 64 MiB";
  check_over_both({
      {"65 MiB", once(answer(whole(big))), fail(too_large, line)},
      {"gzip bomb", once(answer(whole(packed, "Content-Encoding: gzip\r\n"))),
       fail(too_large, line)},
  });
  check_all({
      {"400 KB of headers", once(answer(whole("{}", headers))),
       fail({"permanent", 1, 0ms, "the answer's headers are too large"}, ok(2, 1200ms))},
  });
}

TEST(FaultMatrix, ConnectionsThatAreNotMade) {
  const auto stop = [](FaultWorld& world) {
    world.lasts = true;
    world.server.stop_listening();
  };
  const auto flap = [](FaultWorld& world) {
    world.server.script = {status(503, "ServiceUnavailable", "starting")};
    world.server.stop_listening_for(1s);
  };
  Wants flapped = all(ok(2, 1200ms + 2400ms));
  flapped[1] = {"transient", 1, 1200ms, "whether it was done is not known"};
  const auto gone = [](FaultWorld& world) {
    world.lasts = true;
    world.server.script = {reset(), reset()};  // discovery has left two connections
    world.server.refusals = std::deque<Refusal>(20, Refusal::kSilence);
  };
  // curl asks again by itself when a kept connection breaks before a byte came.
  const auto lost = [](size_t requests) {
    Wants wants = fail({"unreachable", requests, kTwoTries, "within 10.0s: tried 2 times"},
                       {"trouble", requests, 10s, "within 10.0s"});
    wants[1] = {"unreachable", 0, kTwoTries, "within 10.0s: tried 2 times"};
    return wants;
  };
  Wants not_made = all(ok(1, 1200ms));
  not_made[1] = {"transient", 0, 0ms, "broke during the TLS handshake"};
  check_over_both({
      {"refused for a second", [](FaultWorld& world) { world.server.stop_listening_for(1s); },
       all(ok(1, 1200ms))},
      {"refused, then 503", flap, flapped},
      {"refused", stop,
       fail({"unreachable", 0, 1200ms, "Connection refused: tried 2 times"},
            {"trouble", 0, 0ms, "Connection refused"})},
      {"no handshake", refuses({Refusal::kSilence}), all(ok(1, 10s + 1200ms))},
      {"reset in the handshake", refuses({Refusal::kReset}), not_made},
      {"no TLS on that port",
       [](FaultWorld& world) {
         world.lasts = true;
         world.server.refusals = {Refusal::kGarbage};
       },
       fail({"permanent", 0, 0ms, "does not speak TLS"}, {"trouble", 0, 0ms, "TLS"})},
  });
  const Row breaks{"a kept connection breaks, then silence", on_a_kept_connection(gone), lost(2)};
  check(breaks);
  check(over_http2({breaks.fault, breaks.begin, lost(1)}));
}

// --- what only HTTP/2 has ---

TEST(FaultMatrix, StreamsOfHttp2) {
  constexpr uint32_t kNoError = 0, kInternalError = 2, kRefusedStream = 7, kCancel = 8;
  constexpr uint32_t kCalmDown = 11;
  const std::vector<Row> rows = {
      {"stream reset, internal error", once(reset_stream(kInternalError)), retried()},
      {"stream reset, cancelled", once(reset_stream(kCancel)), retried()},
      // Nothing was done, and the answer says so.
      {"stream refused", once(reset_stream(kRefusedStream)), all(ok(2, 0ms))},
      {"GOAWAY after this one", once(go_away(kNoError, true)), all(ok(1, 0ms))},
      // Nothing was done here either, but curl does not tell.
      {"GOAWAY before this one", once(go_away(kNoError, false)), retried()},
      {"GOAWAY, calm down", once(go_away(kCalmDown, false)), retried()},
      {"reset of a kept connection", on_a_kept_connection(once(reset())),
       each(ok(2, 0ms), {"transient", 1, 0ms}, ok(2, 0ms), ok(2, 0ms), ok(2, 0ms))},
      {"close of a kept connection", on_a_kept_connection(once(close_silently())), retried()},
  };
  for (const Row& row : rows) check(over_http2(row));
}

constexpr size_t kMany = real::HttpMulti::kStreamsPerConnection;

TEST(FaultMatrix, AConnectionThatBreaksUnderManyStreams_CostsEachOneMore) {
  std::deque<Fault> script(kMany - 1, answer_and_hold(""));
  script.push_back(reset());
  const auto begin = [&](FaultWorld& world) {
    world.at_once = kMany;
    world.server.script = script;
  };
  for (const Verb verb : {Verb::kGet, Verb::kApply, Verb::kDelete}) {
    const Outcome outcome = outcome_of(over_http2({"32 streams", begin}), verb);
    EXPECT_EQ(outcome.result, "ok") << outcome.text;
    EXPECT_EQ(outcome.requests, 2 * kMany);
    EXPECT_EQ(outcome.connections, 2u);
    EXPECT_EQ(outcome.took.count(), 1200);
  }
}

TEST(FaultMatrix, MoreStreamsThanOneConnectionTakes_GoOverTwo) {
  const auto begin = [](FaultWorld& world) { world.at_once = 2 * kMany; };
  const Outcome outcome = outcome_of(over_http2({"64 streams", begin}), Verb::kApply);
  EXPECT_EQ(outcome.result, "ok") << outcome.text;
  EXPECT_EQ(outcome.requests, 2 * kMany);
  EXPECT_EQ(outcome.connections, 2u);
}

// --- names and proxies: at first contact, and in threads of curl's own, which take real time ---

Setup named(std::vector<std::string> addresses, Duration quiet = 100ms) {
  return [=](FaultWorld& world) {
    world.first_contact = world.lasts = true;
    world.loop.quiet = quiet;
    world.name_server("api.test");
    NameService::set("api.test", addresses);
  };
}
Setup with_blackhole(const Setup& setup) {
  return [setup](FaultWorld& world) {
    setup(world);
    world.keeps.push_back(std::make_shared<Blackhole>("::1", world.server.port()));
  };
}

TEST(FaultMatrix, Names) {
  const auto hang = [](FaultWorld& world) {
    named({})(world);
    NameService::hang("api.test");
  };
  const auto unreachable = [](Duration took, const std::string& words) {
    return all({"unreachable", 0, took, words});
  };
  check_all({
      {"a name that does not exist", nothing,
       unreachable(1200ms, "the name does not resolve: Could not resolve host: api.test"),
       named({})},
      {"a name service that hangs", nothing,
       unreachable(kTwoTries, "its name was not resolved within 10.0s"), hang},
      {"a dead address, then a good one", nothing, all(ok(1, 0ms)),
       named({"127.0.0.2", "127.0.0.1"}, 300ms)},
      {"two dead addresses", nothing, unreachable(1200ms, "127.0.0.3:"),
       named({"127.0.0.2", "127.0.0.3"}, 300ms)},
      {"a silent IPv6 address first", nothing, all(ok(1, 0ms)),
       with_blackhole(named({"::1", "127.0.0.1"}, 300ms))},
      {"a silent address only", nothing, unreachable(kTwoTries, "did not answer within 10.0s"),
       with_blackhole(named({"::1"}))},
  });
}

Setup proxied(int status) {
  return [status](FaultWorld& world) {
    world.first_contact = world.lasts = true;
    world.name_server("api.test");  // the proxy resolves it
    auto proxy = std::make_shared<Proxy>(world.loop, status, world.server.port());
    world.environment.variables["HTTPS_PROXY"] = proxy->url();
    world.keeps.push_back(proxy);
  };
}

TEST(FaultMatrix, Proxies) {
  const auto gone = [](FaultWorld& world) {
    proxied(200)(world);
    world.keeps.clear();
  };
  check_all({
      {"a proxy", nothing, all(ok(1, 0ms)), proxied(200)},
      {"a proxy that reaches nobody", nothing,
       all({"unreachable", 0, 1200ms, "the proxy reaches nobody there"}), proxied(503)},
      {"a proxy that wants credentials", nothing,
       all({"authentication", 0, 0ms, "the proxy wants credentials"}), proxied(407)},
      {"a proxy that refuses", nothing,
       all({"permanent", 0, 0ms, "the proxy refuses to connect us"}), proxied(403)},
      {"a silent proxy", nothing, all({"unreachable", 0, kTwoTries, "did not answer within 10.0s"}),
       proxied(0)},
      {"a proxy that is gone", nothing, all({"unreachable", 0, 1200ms, "Connection refused"}),
       gone},
  });
  EXPECT_THAT(outcome_of({"", nothing, {}, gone}, Verb::kGet).hint,
              HasSubstr("the proxy 127.0.0.1:"));
}

// --- watches alone ---

void check_watch(const std::string& fault, std::deque<Fault> script, const Want& want) {
  SCOPED_TRACE(fault);
  const Outcome outcome = outcome_of({fault, in_a_row(std::move(script)), {}}, Verb::kWatch);
  EXPECT_EQ(outcome.result, want.result) << outcome.text;
  EXPECT_EQ(outcome.requests, want.requests) << outcome.text;
  EXPECT_EQ(outcome.took.count(), want.took.count()) << outcome.text;
  if (shown()) std::printf("%-36s| WATCH: %s\n", fault.c_str(), cell(outcome).c_str());
}

TEST(FaultMatrix, Watches) {
  const auto stream = [](const std::string& frames) {
    return answer(chunked_head() + chunk(frames) + "0\r\n\r\n");
  };
  const Fault gone = stream(frame("ERROR", R"({"code":410,"reason":"Expired"})"));
  const Fault broken = stream(frame("ERROR", R"({"code":500,"reason":"InternalError"})"));
  const Fault end = answer(chunked_head() + "0\r\n\r\n");
  const Fault bookmark = stream(frame("BOOKMARK", config_map("", "10")));
  const std::string two = frame("ADDED", config_map("two", "11"));
  const std::string old = frame("MODIFIED", config_map("one", "3"));
  check_watch("410 in the stream", {gone}, ok(2, 800ms));
  check_watch("an error in the stream", {broken}, ok(2, 1200ms));
  check_watch("an end at once", {end}, ok(2, 1200ms));
  check_watch("an end at once, five times", {end, end, end, end, end},
              ok(6, 1200ms + 2400ms + 4800ms + 9600ms + 19200ms));
  check_watch("a bookmark and the end", {bookmark}, ok(2, 1200ms));
  check_watch("twice, and out of order", {stream(old + two + two + old)}, ok(1, 0ms));
  check_watch("half a frame", {stream(two.substr(0, 30))}, ok(2, 1200ms));
}

}  // namespace
}  // namespace blackstart::faults

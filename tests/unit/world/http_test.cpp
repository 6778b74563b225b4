#include "orchestrator/world/http.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "orchestrator/world/answer_too_large.h"
#include "tests/support/gzip.h"
#include "tests/unit/world/real_world_fixture.h"
#include "tests/unit/world/test_server.h"

namespace blackstart {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::answer_all;
using test::Connection;
using test::response;
using test::TestServer;

Task<std::vector<HttpResponse>> send_in_turn(World& world, std::vector<HttpRequest> requests) {
  std::vector<HttpResponse> responses;
  for (HttpRequest& request : requests)
    responses.push_back(co_await world.http.send(std::move(request)));
  co_return responses;
}

Task<void> send_only(World& world, HttpRequest request) {
  co_await world.http.send(std::move(request));
}

class HttpTest : public RealWorldTest {
 protected:
  HttpResponse send(HttpRequest request) {
    return result_of(world().http.send(std::move(request)));
  }
  Error failure(HttpRequest request) { return error_of(world().http.send(std::move(request))); }

  // One request to a server that does `handler`.
  Error failure_with(TestServer::Handler handler, HttpRequest request = {}) {
    TestServer server(std::move(handler));
    request.url = server.url("/path?token=secret");
    Error error = failure(request);
    EXPECT_TRUE(error.full_text().starts_with("GET " + server.url("/path") + ": "))
        << error.full_text();
    EXPECT_EQ(error.full_text().find("secret"), std::string::npos);
    return error;
  }
};

TEST_F(HttpTest, ReturnsStatusHeadersAndBody) {
  TestServer server(answer_all(
      "HTTP/1.1 404 Not Found\r\nX-One: a\r\nx-one: b\r\nContent-Length: 4\r\n\r\ngone"));
  HttpResponse got = send({.url = server.url()});
  EXPECT_EQ(got.status, 404);
  EXPECT_EQ(got.body, "gone");
  EXPECT_EQ(got.headers["x-one"], "a, b");
}

TEST_F(HttpTest, SendsMethodHeadersAndBodyAsGiven) {
  std::string seen;
  TestServer server([&](Connection& connection) {
    seen = connection.read_request();
    connection.send(response(""));
  });
  std::string body(2 << 20, 'b');  // large enough for curl to want a 100-continue
  send({.method = "PATCH",
        .url = server.url("/a?b=c"),
        .headers = {{"Authorization", "Bearer x"}},
        .body = body});
  EXPECT_TRUE(seen.starts_with("PATCH /a?b=c HTTP/1.1\r\n"));
  EXPECT_NE(seen.find("Authorization: Bearer x\r\n"), std::string::npos);
  EXPECT_EQ(seen.find("Content-Type"), std::string::npos);
  EXPECT_EQ(seen.find("Expect"), std::string::npos);
  EXPECT_TRUE(seen.ends_with(body));
}

TEST_F(HttpTest, NothingOfOneRequestIsLeftInTheNext) {
  std::string seen;
  TestServer server([&](Connection& connection) {
    while (true) {
      seen = connection.read_request();
      connection.send(response("ok"));
    }
  });
  std::vector<HttpRequest> requests{
      {.method = "POST", .url = server.url(), .headers = {{"X", "y"}}, .body = "b"},
      {.url = server.url("/second")}};
  result_of(send_in_turn(world(), requests));
  EXPECT_TRUE(seen.starts_with("GET /second HTTP/1.1\r\n"));
  EXPECT_EQ(seen.find("X: y"), std::string::npos);
  EXPECT_TRUE(seen.ends_with("\r\n\r\n"));
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(HttpTest, RefusesHeadersWithLineBreaks) {
  Error error = failure({.url = "http://127.0.0.1:1/", .headers = {{"A", "x\r\nB: y"}}});
  EXPECT_EQ(error.error_class(), ErrorClass::kPermanent);
}

TEST_F(HttpTest, RefusesOtherSchemes) {
  EXPECT_EQ(failure({.url = "file:///etc/passwd"}).error_class(), ErrorClass::kPermanent);
  EXPECT_EQ(failure({.url = "nonsense"}).error_class(), ErrorClass::kPermanent);
}

TEST_F(HttpTest, StreamsOnlyGoodAnswers) {
  std::vector<std::string> pieces;
  auto collect = [&](std::string_view piece) { pieces.emplace_back(piece); };
  TestServer good([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    ::usleep(100'000);
    connection.send("3\r\ntwo\r\n0\r\n\r\n");
  });
  HttpResponse got = send({.url = good.url(), .on_body = collect});
  EXPECT_EQ(pieces, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(got.body, "");
  TestServer gone(answer_all("HTTP/1.1 410 Gone\r\nContent-Length: 3\r\n\r\nold"));
  EXPECT_EQ(send({.url = gone.url(), .on_body = collect}).body, "old");
  EXPECT_EQ(pieces.size(), 2u);
}

TEST_F(HttpTest, AFailureInTheReaderOfAStreamReachesTheAwaiter) {
  TestServer server(answer_all(response("data")));
  HttpRequest request{.url = server.url()};
  request.on_body = [](std::string_view) { throw Error(ErrorClass::kConflict, "reader"); };
  EXPECT_EQ(failure(request).error_class(), ErrorClass::kConflict);
}

TEST_F(HttpTest, RefusedIsUnreachable) {
  int port = world().environment.free_port();
  Error error = failure({.url = "https://127.0.0.1:" + std::to_string(port) + "/x"});
  EXPECT_EQ(error.error_class(), ErrorClass::kUnreachable);
  EXPECT_NE(error.full_text().find("refused"), std::string::npos) << error.full_text();
}

TEST_F(HttpTest, AnUnknownNameIsUnreachable) {
  Error error = failure({.url = "http://no-such-host.invalid/"});
  EXPECT_EQ(error.error_class(), ErrorClass::kUnreachable);
  EXPECT_NE(error.full_text().find("no-such-host.invalid"), std::string::npos);
}

TEST_F(HttpTest, AConnectionThatNobodyAcceptsIsUnreachableInTime) {
  // A full backlog: the kernel drops further SYNs as a blackhole would.
  int listening = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listening, raw, length), 0);
  ASSERT_EQ(::getsockname(listening, raw, &length), 0);
  ASSERT_EQ(::listen(listening, 0), 0);
  std::vector<int> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(fillers.back(), raw, length);
  }
  Error error(ErrorClass::kBug, "");
  std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  Duration took =
      elapsed([&] { error = failure({.url = url, .connect_timeout = milliseconds(300)}); });
  EXPECT_EQ(error.error_class(), ErrorClass::kUnreachable) << error.full_text();
  EXPECT_GE(took, milliseconds(290));
  EXPECT_LT(took, seconds(3));
  for (int filler : fillers) ::close(filler);
  ::close(listening);
}

TEST_F(HttpTest, AResetIsTransient) {
  Error error = failure_with([](Connection& connection) {
    connection.read_request();
    connection.reset();
  });
  EXPECT_EQ(error.error_class(), ErrorClass::kTransient);
}

TEST_F(HttpTest, AnEndWithoutAnswerIsTransient) {
  Error error = failure_with([](Connection& connection) { connection.read_request(); });
  EXPECT_EQ(error.error_class(), ErrorClass::kTransient);
}

TEST_F(HttpTest, ATruncatedAnswerIsTransient) {
  Error error = failure_with([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  EXPECT_EQ(error.error_class(), ErrorClass::kTransient);
}

TEST_F(HttpTest, BrokenChunksAreTransient) {
  Error error = failure_with([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  });
  EXPECT_EQ(error.error_class(), ErrorClass::kTransient) << error.full_text();
}

TEST_F(HttpTest, SilenceEndsItAfterTheIdleTimeout) {
  auto silent = [](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    connection.wait_until_closed();
  };
  Error error(ErrorClass::kBug, "");
  Duration took =
      elapsed([&] { error = failure_with(silent, {.idle_timeout = milliseconds(300)}); });
  EXPECT_EQ(error.error_class(), ErrorClass::kTransient);
  EXPECT_NE(error.full_text().find("no byte came for 300ms"), std::string::npos)
      << error.full_text();
  EXPECT_GE(took, milliseconds(290));
  EXPECT_LT(took, seconds(3));
}

TEST_F(HttpTest, ASlowAnswerIsNotSilence) {
  TestServer server([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    for (int i = 0; i < 10; ++i) {
      ::usleep(60'000);
      connection.send("x");
    }
  });
  EXPECT_EQ(send({.url = server.url(), .idle_timeout = milliseconds(300)}).body, "xxxxxxxxxx");
}

TEST_F(HttpTest, TheTotalTimeoutEndsWhatOnlyDrips) {
  auto drip = [](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 1000; ++i) {
      connection.send("x");
      ::usleep(20'000);
    }
  };
  Error error(ErrorClass::kBug, "");
  Duration took =
      elapsed([&] { error = failure_with(drip, {.total_timeout = milliseconds(400)}); });
  EXPECT_EQ(error.error_class(), ErrorClass::kTransient);
  EXPECT_LT(took, seconds(3));
}

TEST_F(HttpTest, AfterSilenceTheNextRequestGetsANewConnection) {
  std::atomic<int> connections{0};
  TestServer server([&](Connection& connection) {
    bool first = ++connections == 1;
    connection.read_request();
    if (first) return connection.wait_until_closed();
    connection.send(response("alive"));
  });
  EXPECT_EQ(failure({.url = server.url(), .idle_timeout = milliseconds(200)}).error_class(),
            ErrorClass::kTransient);
  EXPECT_EQ(send({.url = server.url()}).body, "alive");
}

TEST_F(HttpTest, TooLargeAnswersArePermanent) {
  Error error = failure_with(answer_all(response(std::string(5000, 'x'))), {.body_limit = 4999});
  EXPECT_EQ(error.error_class(), ErrorClass::kPermanent);
  EXPECT_NE(error.full_text().find("limit of 4999 bytes"), std::string::npos);
  TestServer server(answer_all(response(std::string(5000, 'x'))));
  EXPECT_THROW(send({.url = server.url(), .body_limit = 4999}), AnswerTooLarge);
  EXPECT_EQ(send({.url = server.url(), .body_limit = 5000}).body.size(), 5000u);
}

TEST_F(HttpTest, EndlessHeadersArePermanent) {
  Error error = failure_with([](Connection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 100'000; ++i)
      connection.send("X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n");
  });
  EXPECT_EQ(error.error_class(), ErrorClass::kPermanent) << error.full_text();
}

TEST_F(HttpTest, UnpacksGzipButNotBombs) {
  std::string packed = test::gzip(std::string(8 << 20, 'z'));
  ASSERT_LT(packed.size(), 20'000u);
  auto answer = answer_all(response(packed, "Content-Encoding: gzip\r\n"));
  TestServer server(answer);
  EXPECT_EQ(send({.url = server.url()}).body, std::string(8 << 20, 'z'));
  EXPECT_EQ(failure_with(answer, {.body_limit = 1 << 20}).error_class(), ErrorClass::kPermanent);
}

TEST_F(HttpTest, CancellationClosesTheConnection) {
  std::atomic<bool> closed{false};
  TestServer server([&](Connection& connection) {
    connection.read_request();
    connection.wait_until_closed();
    closed = true;
  });
  auto request = send_only(world(), {.url = server.url()});
  Instant soon = world().clock.now() + milliseconds(200);
  Error error = error_of(within(world().clock, soon, "late", std::move(request)));
  EXPECT_EQ(error.error_class(), ErrorClass::kDeadline);
  for (int i = 0; i < 100 && !closed; ++i) ::usleep(20'000);
  EXPECT_TRUE(closed);
}

TEST_F(HttpTest, AnExplicitProxyIsAsked) {
  std::string seen;
  TestServer proxy([&](Connection& connection) {
    seen = connection.read_request();
    connection.send(response("from the proxy"));
  });
  TlsIdentity identity;
  identity.proxy = proxy.url("");
  HttpRequest request{.url = "http://cluster.invalid/x",
                      .tls = std::make_shared<TlsIdentity>(identity)};
  EXPECT_EQ(send(request).body, "from the proxy");
  EXPECT_TRUE(seen.starts_with("GET http://cluster.invalid/x HTTP/1.1\r\n")) << seen;
}

TEST_F(HttpTest, RepeatedHeadersStandOnALineEach) {
  std::string seen;
  TestServer server([&](Connection& connection) {
    seen = connection.read_request();
    connection.send(response("ok"));
  });
  HttpRequest request{.url = server.url()};
  request.repeated_headers = {{"Impersonate-Group", "a"}, {"Impersonate-Group", "b"}};
  send(request);
  EXPECT_NE(seen.find("\r\nImpersonate-Group: a\r\nImpersonate-Group: b\r\n"), std::string::npos)
      << seen;
  request.repeated_headers = {{"A", "x\nB: y"}};
  EXPECT_EQ(failure(request).error_class(), ErrorClass::kPermanent);
}

TEST_F(HttpTest, ASocksProxyIsGivenTheNameToResolve) {
  std::string asked;
  TestServer proxy([&](Connection& connection) {
    const std::string greeting = connection.read(2);  // version 5, number of methods
    connection.read(static_cast<size_t>(greeting[1]));
    connection.send(std::string("\x05\x00", 2));
    asked = connection.read(4 + 1 + 15 + 2);  // CONNECT to a name with its length, and a port
    connection.send(std::string("\x05\x00\x00\x01\0\0\0\0\0\0", 10));
    connection.read_request();
    connection.send(response("through the proxy"));
  });
  TlsIdentity identity;
  identity.proxy = "socks5://127.0.0.1:" + std::to_string(proxy.port());
  HttpRequest request{.url = "http://cluster.invalid/x",
                      .tls = std::make_shared<TlsIdentity>(identity)};
  EXPECT_EQ(send(request).body, "through the proxy");
  EXPECT_NE(asked.find("cluster.invalid"), std::string::npos);
}

// Sets an environment variable for one test.
struct Variable {
  Variable(const char* variable, const std::string& value) : name(variable) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::unsetenv(name); }
  const char* name;
};

TEST_F(HttpTest, AProxyOfTheEnvironmentIsAskedUnlessExcepted) {
  TestServer proxy(answer_all(response("from the proxy")));
  TestServer here(answer_all(response("from here")));
  Variable variable("HTTP_PROXY", proxy.url(""));
  EXPECT_EQ(send({.url = "http://cluster.invalid/"}).body, "from the proxy");
  EXPECT_EQ(send({.url = here.url()}).body, "from here");  // this machine needs no exception
  Variable exception("NO_PROXY", "other.invalid,cluster.invalid");
  EXPECT_EQ(failure({.url = "http://cluster.invalid/"}).error_class(), ErrorClass::kUnreachable);
}

class HttpsTest : public HttpTest {
 protected:
  std::shared_ptr<TlsIdentity> trusting() const {
    TlsIdentity identity;
    identity.ca = ca_.certificate;
    return std::make_shared<TlsIdentity>(identity);
  }

  // What a client that trusts the test CA gets from a server with this certificate.
  Error failure_against(const test::Certificate& certificate,
                        std::shared_ptr<TlsIdentity> identity) {
    TestServer server(answer_all(response("ok")), TestServer::Tls{certificate, ""});
    Error error = failure({.url = server.url("/api"), .tls = identity});
    EXPECT_NE(error.full_text().find(server.url("/api")), std::string::npos) << error.full_text();
    return error;
  }

  test::Certificate ca_ = test::make_ca("test CA");
};

TEST_F(HttpsTest, TrustsACaFromMemory) {
  TestServer server(answer_all(response("ok")), TestServer::Tls{test::make_leaf(ca_), ""});
  EXPECT_EQ(send({.url = server.url(), .tls = trusting()}).body, "ok");
}

TEST_F(HttpsTest, AnUnknownCaIsAuthentication) {
  Error error = failure_against(test::make_leaf(test::make_ca("other")), trusting());
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication) << error.full_text();
  EXPECT_NE(error.full_text().find("not trusted"), std::string::npos) << error.full_text();
  EXPECT_NE(error.hint(), "");
}

TEST_F(HttpsTest, AnExpiredCertificateIsAuthenticationAndNamesTheClock) {
  test::Certificate expired = test::make_leaf(ca_, {.not_after = seconds(-60)});
  Error error = failure_against(expired, trusting());
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
  EXPECT_NE(error.full_text().find("expired"), std::string::npos) << error.full_text();
  EXPECT_NE(error.hint().find("clock"), std::string::npos);
}

TEST_F(HttpsTest, ACertificateOfTheFutureIsAuthenticationAndNamesTheClock) {
  Error error = failure_against(test::make_leaf(ca_, {.not_before = seconds(1800)}), trusting());
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
  EXPECT_NE(error.full_text().find("not valid yet"), std::string::npos) << error.full_text();
  EXPECT_NE(error.hint().find("clock"), std::string::npos);
}

TEST_F(HttpsTest, AnotherNameIsAuthentication) {
  Error error = failure_against(test::make_leaf(ca_, {.names = "DNS:other.example"}), trusting());
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
  EXPECT_NE(error.full_text().find("another name"), std::string::npos) << error.full_text();
}

TEST_F(HttpsTest, TheServerNameIsVerifiedInPlaceOfTheHost) {
  std::string seen;
  auto handler = [&](Connection& connection) {
    seen = connection.read_request();
    connection.send(response("ok"));
  };
  TestServer server(handler,
                    TestServer::Tls{test::make_leaf(ca_, {.names = "DNS:other.example"}), ""});
  auto identity = trusting();
  identity->server_name = "other.example";
  EXPECT_EQ(send({.url = server.url("/p?q"), .tls = identity}).body, "ok");
  EXPECT_TRUE(seen.starts_with("GET /p?q HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"),
            std::string::npos);
  auto wrong = trusting();
  wrong->server_name = "wrong.example";
  EXPECT_EQ(failure({.url = server.url(), .tls = wrong}).error_class(),
            ErrorClass::kAuthentication);
}

TEST_F(HttpsTest, AProxyWithTlsIsTrustedAsTheServerIs) {
  TestServer proxy(answer_all(response("from the proxy")),
                   TestServer::Tls{test::make_leaf(ca_), ""});
  auto identity = trusting();
  identity->proxy = proxy.url("");
  EXPECT_EQ(send({.url = "http://cluster.invalid/", .tls = identity}).body, "from the proxy");
  auto stranger = std::make_shared<TlsIdentity>();
  stranger->proxy = proxy.url("");
  EXPECT_EQ(failure({.url = "http://cluster.invalid/", .tls = stranger}).error_class(),
            ErrorClass::kAuthentication);
}

TEST_F(HttpsTest, InsecureSkipsVerification) {
  auto identity = std::make_shared<TlsIdentity>();
  identity->insecure = true;
  TestServer server(answer_all(response("ok")),
                    TestServer::Tls{test::make_leaf(ca_, {.names = "DNS:x.y"}), ""});
  EXPECT_EQ(send({.url = server.url(), .tls = identity}).body, "ok");
}

TEST_F(HttpsTest, PlainHttpOnAnHttpsUrlSaysSo) {
  TestServer plain(
      [](Connection& connection) { connection.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  HttpRequest request{.url = "https://127.0.0.1:" + std::to_string(plain.port()) + "/"};
  Error error = failure(request);
  EXPECT_EQ(error.error_class(), ErrorClass::kPermanent) << error.full_text();
  EXPECT_NE(error.full_text().find("does not speak TLS"), std::string::npos) << error.full_text();
}

TEST_F(HttpsTest, AServerThatClosesDuringTheHandshakeIsTransient) {
  TestServer closing([](Connection&) {});
  Error error = failure({.url = "https://127.0.0.1:" + std::to_string(closing.port()) + "/"});
  EXPECT_EQ(error.error_class(), ErrorClass::kTransient) << error.full_text();
}

class ClientCertificateTest : public HttpsTest {
 protected:
  TestServer server_{answer_all(response("ok")),
                     TestServer::Tls{test::make_leaf(ca_), ca_.certificate}};

  std::shared_ptr<TlsIdentity> known() {
    test::Certificate client = test::make_leaf(ca_);
    auto identity = trusting();
    identity->certificate = client.certificate;
    identity->key = client.key;
    return identity;
  }
};

TEST_F(ClientCertificateTest, IsPresented) {
  EXPECT_EQ(send({.url = server_.url(), .tls = known()}).body, "ok");
}

TEST_F(ClientCertificateTest, MissingIsAuthentication) {
  EXPECT_EQ(failure({.url = server_.url(), .tls = trusting()}).error_class(),
            ErrorClass::kAuthentication);
}

TEST_F(ClientCertificateTest, ThatHasExpiredIsSaidToBeOurs) {
  test::Certificate expired = test::make_leaf(ca_, {.not_after = seconds(-60)});
  auto identity = trusting();
  identity->certificate = expired.certificate;
  identity->key = expired.key;
  Error error = failure({.url = server_.url(), .tls = identity});
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
  EXPECT_NE(error.full_text().find("the client certificate has expired"), std::string::npos)
      << error.full_text();
}

TEST_F(ClientCertificateTest, ABrokenKeyIsAuthenticationAndNeverShown) {
  auto identity = known();
  identity->key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
  Error error = failure({.url = server_.url(), .tls = identity});
  EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication) << error.full_text();
  EXPECT_EQ(error.full_text().find("c2VjcmV0"), std::string::npos);
}

TEST_F(ClientCertificateTest, ConnectionsAreKeptApartByIdentity) {
  auto first = known();
  auto nobody = trusting();
  std::vector<HttpRequest> requests{{.url = server_.url(), .tls = first},
                                    {.url = server_.url(), .tls = first}};
  result_of(send_in_turn(world(), requests));
  EXPECT_EQ(server_.accepted(), 1);
  EXPECT_EQ(failure({.url = server_.url(), .tls = nobody}).error_class(),
            ErrorClass::kAuthentication);
  EXPECT_EQ(server_.accepted(), 2);
}

}  // namespace
}  // namespace blackstart

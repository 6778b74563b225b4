// The limit: the PATCH requests of a set, made ready beforehand and sent over HTTP/2 with nothing
// but curl and epoll around them. Usage: raw_patch KUBECONFIG REQUESTS AT_ONCE CONNECTIONS, where
// REQUESTS has a line "PATH<tab>BODY" for each. Exit code 1 and the first answer when any is
// refused.
#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/curl_endpoint.h"

namespace blackstart::test {
namespace {

struct Request {
  std::string path, body;
};

std::vector<Request> read_requests(const std::string& file) {
  std::vector<Request> requests;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const size_t tab = line.find('\t');
    requests.push_back({line.substr(0, tab), line.substr(tab + 1)});
  }
  return requests;
}

size_t keep(char* data, size_t size, size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, size * count);
  return size * count;
}

using Clock = std::chrono::steady_clock;

// curl says which sockets and which time it waits for: a turn costs what has happened, however many
// streams are open.
struct Connection {
  explicit Connection(int epoll_descriptor) : epoll(epoll_descriptor) {
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  }

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
    auto* connection = static_cast<Connection*>(self);
    connection->socket = socket;  // the one that it may have
    epoll_event event{};
    event.data.ptr = connection;
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (what == CURL_POLL_REMOVE)
      epoll_ctl(connection->epoll, EPOLL_CTL_DEL, socket, nullptr);
    else if (epoll_ctl(connection->epoll, EPOLL_CTL_MOD, socket, &event) != 0)
      epoll_ctl(connection->epoll, EPOLL_CTL_ADD, socket, &event);
    return 0;
  }

  static int on_timer(CURLM*, long milliseconds, void* self) {
    static_cast<Connection*>(self)->due =
        milliseconds < 0 ? Clock::time_point::max()
                         : Clock::now() + std::chrono::milliseconds(milliseconds);
    return 0;
  }

  void drive(curl_socket_t which, int events) {
    int running = 0;
    curl_multi_socket_action(multi, which, events, &running);
  }

  int epoll;
  CURLM* multi = curl_multi_init();
  curl_socket_t socket = CURL_SOCKET_BAD;
  Clock::time_point due = Clock::time_point::max();
};

// One request at a time: an easy handle that is used again and again.
struct Stream {
  Connection* connection = nullptr;
  CURL* easy = nullptr;
  std::string answer;
};

class Sender {
 public:
  Sender(const kube::Endpoint& endpoint, std::vector<Request> requests)
      : endpoint_(endpoint), requests_(std::move(requests)) {
    headers_ = curl_slist_append(headers_, "Content-Type: application/apply-patch+yaml");
    headers_ = curl_slist_append(headers_, "Accept: application/json");
  }

  int send(size_t at_once, size_t connections) {
    for (size_t i = 0; i < connections; ++i)
      connections_.push_back(std::make_unique<Connection>(epoll_));
    std::vector<Stream> streams(at_once);
    for (size_t i = 0; i < at_once; ++i) {
      streams[i].connection = connections_[i % connections].get();
      set_up(streams[i]);
      start_next(streams[i]);
    }
    while (ended_ < requests_.size() && refused_.empty()) turn();
    if (!refused_.empty()) std::fprintf(stderr, "%s\n", refused_.c_str());
    return refused_.empty() ? 0 : 1;
  }

 private:
  void set_up(Stream& stream) {
    stream.easy = easy_for(endpoint_);
    curl_easy_setopt(stream.easy, CURLOPT_CUSTOMREQUEST, "PATCH");
    curl_easy_setopt(stream.easy, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(stream.easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(stream.easy, CURLOPT_WRITEDATA, &stream.answer);
    curl_easy_setopt(stream.easy, CURLOPT_PRIVATE, &stream);
  }

  void start_next(Stream& stream) {
    if (next_ == requests_.size()) return;
    const Request& request = requests_[next_++];
    stream.answer.clear();
    curl_easy_setopt(stream.easy, CURLOPT_URL, (endpoint_.server + request.path).c_str());
    curl_easy_setopt(stream.easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(stream.easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_multi_add_handle(stream.connection->multi, stream.easy);
  }

  void turn() {
    std::array<epoll_event, 8> events;
    const int count =
        epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds_left());
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
      const uint32_t what = events[static_cast<size_t>(i)].events;
      connection->drive(connection->socket,
                        (what & EPOLLIN ? CURL_CSELECT_IN : 0) |
                            (what & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                            (what & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
    }
    for (const auto& connection : connections_) end_turn(*connection);
  }

  int milliseconds_left() const {
    Clock::time_point due = Clock::now() + std::chrono::seconds(1);
    for (const auto& connection : connections_) due = std::min(due, connection->due);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now());
    return static_cast<int>(std::max<int64_t>(left.count(), 0));
  }

  void end_turn(Connection& connection) {
    if (connection.due <= Clock::now()) {
      connection.due = Clock::time_point::max();
      connection.drive(CURL_SOCKET_TIMEOUT, 0);
    }
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(connection.multi, &left)) take(*message);
  }

  void take(const CURLMsg& message) {
    Stream* stream = nullptr;
    long status = 0;
    curl_easy_getinfo(message.easy_handle, CURLINFO_PRIVATE, &stream);
    curl_easy_getinfo(message.easy_handle, CURLINFO_RESPONSE_CODE, &status);
    if (message.data.result != CURLE_OK || status / 100 != 2)
      refused_ = std::to_string(status) + ' ' + curl_easy_strerror(message.data.result) + ' ' +
                 stream->answer;
    ++ended_;
    curl_multi_remove_handle(stream->connection->multi, stream->easy);
    start_next(*stream);
  }

  const kube::Endpoint& endpoint_;
  std::vector<Request> requests_;
  curl_slist* headers_ = nullptr;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Connection>> connections_;
  size_t next_ = 0;
  size_t ended_ = 0;
  std::string refused_;
};

}  // namespace
}  // namespace blackstart::test

int main(int argc, char** argv) {
  if (argc != 5) return 64;
  using namespace blackstart;  // main cannot be in it
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const kube::Endpoint endpoint = test::endpoint_of(argv[1]);
  test::Sender sender(endpoint, test::read_requests(argv[2]));
  return sender.send(std::stoul(argv[3]), std::stoul(argv[4]));
}

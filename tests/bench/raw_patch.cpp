// The limit: the PATCH requests of a set, made ready beforehand and sent over HTTP/2 with nothing
// but curl around them. Usage: raw_patch KUBECONFIG REQUESTS STREAMS, where REQUESTS has a line
// "PATH<tab>BODY" for each; so many streams of one connection are used at a time. Exit code 1 and
// the first answer when any is refused.
#include <cstdio>
#include <fstream>
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

// One stream at a time: an easy handle that is used again and again.
struct Stream {
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

  int send(size_t streams) {
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    std::vector<Stream> all(streams);
    for (Stream& stream : all) {
      set_up(stream);
      start_next(stream);
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
    curl_multi_add_handle(multi_, stream.easy);
  }

  void turn() {
    int running = 0;
    curl_multi_perform(multi_, &running);
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) take(*message);
    if (ended_ < requests_.size()) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
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
    curl_multi_remove_handle(multi_, stream->easy);
    start_next(*stream);
  }

  const kube::Endpoint& endpoint_;
  std::vector<Request> requests_;
  curl_slist* headers_ = nullptr;
  CURLM* multi_ = curl_multi_init();
  size_t next_ = 0;
  size_t ended_ = 0;
  std::string refused_;
};

}  // namespace
}  // namespace blackstart::test

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  using namespace blackstart;  // main cannot be in it
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const kube::Endpoint endpoint = test::endpoint_of(argv[1]);
  test::Sender sender(endpoint, test::read_requests(argv[2]));
  return sender.send(std::stoul(argv[3]));
}

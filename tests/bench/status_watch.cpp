#include "tests/bench/status_watch.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include "orchestrator/kube/frame_splitter.h"
#include "orchestrator/kube/json.h"
#include "orchestrator/kube/object.h"
#include "tests/bench/curl_endpoint.h"

namespace blackstart::test {

struct StatusWatch::State {
  kube::Endpoint endpoint;
  std::string url;
  CURL* easy = nullptr;
  std::atomic<bool> open = false;   // the server sends events
  std::atomic<bool> ended = false;  // and sends none any more
  std::string trouble;              // why, when it has ended by itself
  std::atomic<bool> stopped = false;
  Moments moments;
  kube::FrameSplitter frames{[this](std::string_view line) { take(line); }, 64u << 20};
  std::thread thread;

  void take(std::string_view line) {
    const auto now = std::chrono::system_clock::now();
    const boost::json::value frame = kube::parse_json(line);
    const boost::json::value* object = kube::find(frame, {"object"});
    if (object == nullptr || kube::number_at(*object, {"status", "availableReplicas"}) == 0) return;
    moments.emplace(kube::text_at(*object, {"metadata", "name"}), now);
  }

  static size_t on_header(char*, size_t size, size_t count, void* state) {
    auto* self = static_cast<State*>(state);
    long status = 0;
    curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) self->open = true;
    return size * count;
  }
  static size_t on_body(char* data, size_t size, size_t count, void* state) {
    static_cast<State*>(state)->frames.feed({data, size * count});
    return size * count;
  }
  static int on_progress(void* state, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<State*>(state)->stopped ? 1 : 0;
  }

  void run() {
    easy = easy_for(endpoint);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
    trouble = curl_easy_strerror(curl_easy_perform(easy));
    curl_easy_cleanup(easy);
    ended = true;
  }
};

StatusWatch::StatusWatch(const std::string& kubeconfig, const std::string& name_space)
    : state_(std::make_unique<State>()) {
  state_->endpoint = endpoint_of(kubeconfig);
  state_->url = state_->endpoint.server + "/apis/apps/v1/namespaces/" + name_space +
                "/deployments?watch=true";
  state_->thread = std::thread([state = state_.get()] { state->run(); });
  while (!state_->open && !state_->ended) std::this_thread::yield();
  if (state_->open) return;
  state_->thread.join();
  throw std::runtime_error("cannot watch " + state_->url + ": " + state_->trouble);
}

StatusWatch::~StatusWatch() {
  if (state_->thread.joinable()) stop();
}

Moments StatusWatch::stop() {
  state_->stopped = true;
  state_->thread.join();
  return state_->moments;
}

}  // namespace blackstart::test

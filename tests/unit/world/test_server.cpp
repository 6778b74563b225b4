#include "tests/unit/world/test_server.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <mutex>
#include <thread>

namespace blackstart::test {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

size_t content_length(const std::string& head) {
  size_t start = head.find("Content-Length: ");
  return start == std::string::npos ? 0 : std::stoul(head.substr(start + 16));
}

template <class Stream>
class StreamConnection : public Connection {
 public:
  StreamConnection(Stream& stream, tcp::socket& socket) : stream_(stream), socket_(socket) {}

  std::string read_request() override {
    size_t head = asio::read_until(stream_, asio::dynamic_buffer(buffer_), "\r\n\r\n");
    size_t whole = head + content_length(buffer_.substr(0, head));
    if (buffer_.size() < whole) {
      asio::read(stream_, asio::dynamic_buffer(buffer_),
                 asio::transfer_exactly(whole - buffer_.size()));
    }
    std::string request = buffer_.substr(0, whole);
    buffer_.erase(0, whole);
    return request;
  }

  std::string read(size_t count) override {
    if (buffer_.size() < count)
      asio::read(stream_, asio::dynamic_buffer(buffer_),
                 asio::transfer_exactly(count - buffer_.size()));
    std::string bytes = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return bytes;
  }

  void send(const std::string& text) override { asio::write(stream_, asio::buffer(text)); }

  void reset() override {
    socket_.set_option(tcp::socket::linger(true, 0));
    socket_.close();
  }

  void wait_until_closed() override {
    char byte;
    boost::system::error_code error;
    while (!error) stream_.read_some(asio::buffer(&byte, 1), error);
  }

 private:
  Stream& stream_;
  tcp::socket& socket_;
  std::string buffer_;
};

}  // namespace

struct TestServer::Parts {
  asio::io_context context;
  tcp::acceptor acceptor{context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::optional<asio::ssl::context> tls;
  Handler handler;
  std::atomic<int> accepted{0};
  std::mutex mutex;
  std::list<tcp::socket*> open;  // guarded by mutex: shut down at the end
  bool closing = false;          // guarded by mutex
  std::list<std::thread> threads;
  std::thread accepting;

  void accept() {
    while (true) {
      boost::system::error_code error;
      tcp::socket socket(context);
      acceptor.accept(socket, error);
      if (error || is_closing()) return;
      ++accepted;
      threads.emplace_back([this, s = std::move(socket)]() mutable { serve(std::move(s)); });
    }
  }

  bool is_closing() {
    std::lock_guard lock(mutex);
    return closing;
  }

  void serve(tcp::socket socket) {
    {
      std::lock_guard lock(mutex);
      if (closing) return;
      open.push_back(&socket);
    }
    try {
      talk(socket);
    } catch (const std::exception&) {
      // The client went away or refused us: what a test expects it looks at on its own side.
    }
    std::lock_guard lock(mutex);
    open.remove(&socket);
  }

  void talk(tcp::socket& socket) {
    if (!tls) {
      StreamConnection<tcp::socket> connection(socket, socket);
      return handler(connection);
    }
    asio::ssl::stream<tcp::socket&> stream(socket, *tls);
    stream.handshake(asio::ssl::stream_base::server);
    StreamConnection<asio::ssl::stream<tcp::socket&>> connection(stream, socket);
    handler(connection);
  }

  void close() {
    {
      std::lock_guard lock(mutex);
      closing = true;
      boost::system::error_code ignored;
      for (tcp::socket* socket : open) socket->shutdown(tcp::socket::shutdown_both, ignored);
    }
    tcp::socket waker(context);  // ends the blocking accept
    boost::system::error_code ignored;
    waker.connect(acceptor.local_endpoint(), ignored);
    accepting.join();
    for (std::thread& thread : threads) thread.join();
  }
};

TestServer::TestServer(Handler handler, std::optional<Tls> tls)
    : parts_(std::make_unique<Parts>()) {
  parts_->handler = std::move(handler);
  if (tls) {
    auto& context = parts_->tls.emplace(asio::ssl::context::tls_server);
    context.use_certificate_chain(asio::buffer(tls->certificate.certificate));
    context.use_private_key(asio::buffer(tls->certificate.key), asio::ssl::context::pem);
    if (!tls->client_ca.empty()) {
      context.add_certificate_authority(asio::buffer(tls->client_ca));
      context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    }
  }
  parts_->accepting = std::thread([parts = parts_.get()] { parts->accept(); });
}

TestServer::~TestServer() { parts_->close(); }

int TestServer::port() const { return parts_->acceptor.local_endpoint().port(); }

std::string TestServer::url(const std::string& path) const {
  return std::string(parts_->tls ? "https" : "http") + "://127.0.0.1:" + std::to_string(port()) +
         path;
}

int TestServer::accepted() const { return parts_->accepted; }

TestServer::Handler answer_all(std::string response) {
  return [response = std::move(response)](Connection& connection) {
    while (true) {
      connection.read_request();
      connection.send(response);
    }
  };
}

std::string response(const std::string& body, const std::string& headers) {
  return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace blackstart::test

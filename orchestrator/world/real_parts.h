// The parts of the real world, one maker each. Only real.cpp and tests use them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "orchestrator/world/world.h"

namespace blackstart::real {

std::unique_ptr<Clock> make_clock();
std::unique_ptr<Random> make_random();
std::unique_ptr<Files> make_files();
std::unique_ptr<Environment> make_environment(Random& random);
std::unique_ptr<Blocking> make_blocking(boost::asio::io_context& loop);
std::unique_ptr<Processes> make_processes(boost::asio::io_context& loop);
/// All its time limits are on `clock`; `loop` carries the sockets and curl's own short steps.
std::unique_ptr<Http> make_http(boost::asio::io_context& loop, Clock& clock,
                                const Environment& environment);

}  // namespace blackstart::real

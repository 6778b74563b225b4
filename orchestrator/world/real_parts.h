// The parts of the real world, one maker each. Only real.cpp and the tests of this room use them.
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
std::unique_ptr<Http> make_http(boost::asio::io_context& loop, const Environment& environment);

}  // namespace blackstart::real

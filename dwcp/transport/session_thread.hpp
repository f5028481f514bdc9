#pragma once

#include <functional>
#include <thread>

namespace novacron {

/// Starts a thread that no signal is delivered to: they are the node's.
std::thread start_session_thread(std::function<void()> body);

} // namespace novacron

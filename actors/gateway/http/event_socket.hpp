#pragma once

#include "actors/gateway/http/io_core.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace novacron {

/// Turns the connection into a WebSocket that sends the events from `position`
/// on. `upgrade` is the request that asked for it. Call on the core's thread.
void start_event_socket(const std::shared_ptr<io_core>& core, tcp_socket socket,
                        boost::beast::http::request<boost::beast::http::string_body> upgrade,
                        uint64_t position);

} // namespace novacron

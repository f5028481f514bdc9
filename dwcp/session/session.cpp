#include "dwcp/session/session.hpp"

#include "dwcp/session/door.hpp"
#include "dwcp/session/sending_session.hpp"
#include "dwcp/session/used_up.hpp"

namespace novacron {

result<std::unique_ptr<page_sender>> start_page_sender(const tls_files& tls,
                                                       const session_ticket& ticket,
                                                       const send_options& options,
                                                       session_end end) {
  if (options.streams == 0 || options.streams > max_streams)
    return make_failure(dwcp_errc::too_many, "page session: " + std::to_string(options.streams)
                                                 + " streams; choose 1 to "
                                                 + std::to_string(max_streams));
  auto context = tls_context::load(tls);
  if (!context)
    return context.error();
  auto listener = listen_unix(options.stream_socket);
  if (!listener)
    return listener.error();
  try {
    return std::make_unique<sending_session>(std::move(*context), ticket, options, std::move(end),
                                             std::move(*listener));
  } catch (const std::exception& why) {
    return used_up("page session", why);
  }
}

result<std::unique_ptr<page_door>> open_page_door(const tls_files& tls, const std::string& address,
                                                  uint16_t port) {
  auto context = tls_context::load(tls);
  if (!context)
    return context.error();
  auto listener = listen_tcp(address, port);
  if (!listener)
    return listener.error();
  try {
    return std::make_unique<door>(std::move(*context), std::move(*listener));
  } catch (const std::exception& why) {
    return used_up("DWCP port", why);
  }
}

} // namespace novacron

#pragma once

namespace novacron {

/// Initialises libvirt's client library and starts the thread on which it
/// handles events and keepalives, once per process; repeats do nothing. Must
/// come before the first connection. libvirt has one event loop per process and
/// no way to end it, so the thread lives as long as the process.
void start_libvirt_event_loop();

} // namespace novacron

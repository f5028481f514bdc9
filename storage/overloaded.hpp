#pragma once

namespace novacron {

/// One function object of several, for std::visit: each alternative finds its own.
template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>; // clang before 17 doesn't deduce aggregates

} // namespace novacron

#pragma once

#include "network.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace novacron::sim {

/// A question to another process and its answer, over a connection: each arrives
/// once or never, however often the network doubles it. `question` runs when it
/// arrives and may call its argument at once, later or never; `then` runs once:
/// with the answer, or with nothing after `patience_ms`.
template <class Answer>
void ask(network& net, scheduler& time, uint64_t from, uint64_t to, uint64_t patience_ms,
         std::function<void(std::function<void(Answer)>)> question,
         std::function<void(std::optional<Answer>)> then) {
  struct conversation {
    std::function<void(std::function<void(Answer)>)> question;
    std::function<void(std::optional<Answer>)> then;
    bool replied = false;
  };
  auto both = std::make_shared<conversation>();
  both->question = std::move(question);
  both->then = std::move(then);
  auto end = [both](std::optional<Answer> answer) {
    if (auto call = std::exchange(both->then, {}))
      call(std::move(answer));
  };
  net.send(from, to, [&net, from, to, both, end] {
    auto call = std::exchange(both->question, {});
    if (!call)
      return;
    call([&net, from, to, both, end](Answer answer) {
      if (std::exchange(both->replied, true))
        return;
      net.send(to, from, [end, answer] { end(answer); });
    });
  });
  time.after(patience_ms, [end] { end(std::nullopt); });
}

} // namespace novacron::sim

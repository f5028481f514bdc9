#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace novacron {

/// A promise to call a function exactly once: with the answer, or with nothing
/// when every copy is dropped unanswered, because the actor died that held it,
/// say. Copies share the one call; safe from any thread.
template <class T>
class completion {
public:
  using function = std::function<void(std::optional<T>)>;

  explicit completion(function fn) : box_{std::make_shared<box>(std::move(fn))} {
    // nop
  }

  void complete(T answer) const { box_->call(std::move(answer)); }

private:
  struct box {
    explicit box(function f) : fn{std::move(f)} {
      // nop
    }
    box(const box&) = delete;
    box& operator=(const box&) = delete;
    ~box() { call(std::nullopt); }

    void call(std::optional<T> answer) {
      if (!called.exchange(true))
        fn(std::move(answer));
    }

    function fn;
    std::atomic<bool> called = false;
  };

  std::shared_ptr<box> box_;
};

} // namespace novacron

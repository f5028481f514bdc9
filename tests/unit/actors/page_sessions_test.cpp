#include "actors/migration/incoming.hpp"
#include "actors/migration/perform_run.hpp"
#include "dwcp/errors.hpp"
#include "dwcp/session/link_share.hpp"
#include "hypervisor/errors.hpp"
#include "tests/unit/actors/one_guest.hpp"
#include "tests/unit/actors/test_authority.hpp"

#include <deque>
#include <doctest/doctest.h>
#include <map>

// What a migration does with its page session.

using namespace novacron;

namespace {

failure cancelled(const std::string& reason) {
  return make_failure(dwcp_errc::cancelled, reason);
}

/// A session that ends when it is cancelled, or let go.
class idle_receiver final : public page_receiver {
public:
  explicit idle_receiver(session_end end) : end_{std::move(end)} {}
  ~idle_receiver() override { cancel("its owner let it go"); }
  idle_receiver(const idle_receiver&) = delete;
  idle_receiver& operator=(const idle_receiver&) = delete;
  [[nodiscard]] session_statistics statistics() const override { return {}; }
  void cancel(std::string reason) override {
    if (auto end = std::exchange(end_, {}))
      end(cancelled(reason));
  }

private:
  session_end end_;
};

class idle_sender final : public page_sender {
public:
  explicit idle_sender(session_end end) : end_{std::move(end)} {}
  [[nodiscard]] session_statistics statistics() const override { return {}; }
  void cancel(std::string reason) override { calls.push_back(std::move(reason)); }
  /// The session's thread does what it was told.
  void run() {
    if (!calls.empty())
      end_(cancelled(calls.front()));
  }

  std::deque<std::string> calls;

private:
  session_end end_;
};

class idle_door final : public page_door {
public:
  [[nodiscard]] uint16_t port() const override { return 1; }
  result<std::unique_ptr<page_receiver>> expect(const session_ticket&, const receive_options&,
                                                session_end end) override {
    return std::unique_ptr<page_receiver>{std::make_unique<idle_receiver>(std::move(end))};
  }
};

struct one_migration {
  scratch_folder folder;
  std::shared_ptr<host_context> context = std::make_shared<host_context>();
  std::shared_ptr<one_guest> driver = std::make_shared<one_guest>();
  std::deque<std::function<void()>> calls; ///< of the pool
  migration_changed about;

  one_migration() {
    context->state = folder.path();
    context->driver = driver;
    context->pages = std::make_shared<idle_door>();
    context->images["tick"] = {};
    context->pool = std::make_shared<blocking_pool>(
        [this](const uuid*, std::function<void()> call) { calls.push_back(std::move(call)); });
    about.migration.id = {{9, 9}};
    about.migration.vm = about.vm.id = one_guest::vm;
    about.vm.spec.image = "tick";
  }
};

} // namespace

TEST_CASE_FIXTURE(one_migration,
                  "why a guest couldn't be prepared is not that its pages were given up") {
  driver->prepare_fails = hypervisor_errc::refused;
  const auto coming = std::make_shared<incoming>(context, about);
  int endings = 0;
  const auto prepared = coming->prepare({}, [&](const auto&) { ++endings; });
  REQUIRE(!prepared.has_value());
  CHECK(prepared.error().code == hypervisor_errc::refused);
  CHECK(endings == 0);
}

TEST_CASE_FIXTURE(one_migration, "pages that are given up later say so") {
  const auto coming = std::make_shared<incoming>(context, about);
  int endings = 0;
  REQUIRE(coming->prepare({}, [&](const auto&) { ++endings; }).has_value());
  coming->release();
  CHECK(endings == 1);
}

TEST_CASE_FIXTURE(one_migration,
                  "a run ends soon when it is told to, though its QEMU has ended well") {
  idle_sender* sender = nullptr;
  context->send_pages = [&](const tls_files&, const session_ticket&, const send_options&,
                            session_end end) -> result<std::unique_ptr<page_sender>> {
    auto made = std::make_unique<idle_sender>(std::move(end));
    sender = made.get();
    return std::unique_ptr<page_sender>{std::move(made)};
  };
  int endings = 0;
  const auto run = std::make_shared<perform_run>(context, about, [&](const auto& how) {
    ++endings;
    CHECK(!how.has_value());
  });
  run->start({about.migration.id, {}, "127.0.0.1:1", {}});
  REQUIRE(calls.size() == 1); // Perform
  calls.front()();
  REQUIRE(sender != nullptr);
  CHECK(endings == 0); // the destination has yet to agree
  run->cancel("the migration was aborted");
  sender->run();
  CHECK(endings == 1);
  CHECK(driver->calls.find("abort") == std::string::npos); // there is nothing to abort
  run->release();
}

TEST_CASE_FIXTURE(one_migration, "a migration has its priority's part of what its host may send") {
  context->page_share = link_share::make(1'000'000);
  std::map<migration_priority, unsigned> weights;
  for (const auto priority :
       {migration_priority::low, migration_priority::normal, migration_priority::high}) {
    about.migration.terms.priority = priority;
    context->send_pages = [&](const tls_files&, const session_ticket&, const send_options& options,
                              const session_end&) -> result<std::unique_ptr<page_sender>> {
      CHECK(options.share == context->page_share);
      weights[priority] = options.weight;
      return make_failure(dwcp_errc::unreachable, "that is all that was to be seen");
    };
    const auto run = std::make_shared<perform_run>(context, about, [](const auto&) {});
    run->start({about.migration.id, {}, "127.0.0.1:1", {}});
  }
  CHECK(weights[migration_priority::normal] == 2 * weights[migration_priority::low]);
  CHECK(weights[migration_priority::high] == 2 * weights[migration_priority::normal]);
}

#include "hypervisor/simulated/memory_reader.hpp"
#include "hypervisor/simulated/simulated_driver.hpp"
#include "messages/page_stream.hpp"

#include <algorithm>
#include <numeric>

namespace novacron {

namespace {

constexpr uint64_t chunk_pages = 256;
constexpr uint32_t last_iteration = 20;

std::string offer_text(const guest_spec& spec) {
  return "simulated guest " + to_string(spec.vm) + " memory " + std::to_string(spec.memory_mib);
}

double per_second(uint64_t count, std::chrono::duration<double> elapsed) {
  return static_cast<double>(count) / std::max(elapsed.count(), 1e-6);
}

} // namespace

/// The source's side of one Perform.
class memory_sender {
public:
  memory_sender(simulated_host& host, vm_id vm, uint64_t pages,
                std::shared_ptr<std::atomic<bool>> stop)
      : host_{host}, vm_{vm}, pages_{pages}, stop_{std::move(stop)} {}

  result<void> send(const std::filesystem::path& path) {
    auto stream = stream_socket::connect(path);
    if (!stream)
      return stream.error();
    stream_ = std::move(*stream);
    stream_writer writer{{{simulated_block, pages_ * page_size}}};
    writer.begin();
    round_begun_ = begun_ = std::chrono::steady_clock::now();
    auto pages = first_round();
    for (bool last = false;; pages = next_round(last)) {
      last ? writer.begin_last() : writer.begin_part();
      if (auto sent = send_pages(writer, pages); !sent)
        return sent;
      writer.end_part();
      if (last)
        break;
    }
    writer.finish(simulated_device_state(to_string(vm_), host_.memory_digest(vm_)));
    if (auto sent = flush(writer); !sent)
      return sent;
    return wait_for_shut();
  }

private:
  result<void> flush(stream_writer& writer) {
    auto bytes = writer.take();
    sent_ += bytes.size();
    return stream_.write(bytes, *stop_);
  }

  result<void> send_pages(stream_writer& writer, const std::vector<uint64_t>& pages) {
    for (size_t begin = 0; begin < pages.size(); begin += chunk_pages) {
      auto end = std::min(pages.size(), begin + chunk_pages);
      {
        simulated_host::lock held{host_};
        auto x = host_.find("migrate", vm_);
        if (!x)
          return x.error();
        for (auto i = begin; i < end; ++i)
          if ((*x)->memory.is_zero(pages[i]))
            writer.zero_page(0, pages[i] * page_size);
          else
            writer.page(0, pages[i] * page_size, (*x)->memory.page(pages[i]));
        count(**x, end - begin, pages.size() - end);
      }
      if (auto sent = flush(writer); !sent)
        return sent;
    }
    return {};
  }

  void count(simulated_host::guest& x, uint64_t done, uint64_t left) {
    x.job.memory_total_bytes = x.memory.size_bytes();
    x.job.memory_processed_bytes += done * page_size;
    x.job.memory_remaining_bytes = left * page_size;
    x.job.iteration = iteration_;
  }

  /// All of them; from here on, what is written to counts.
  std::vector<uint64_t> first_round() {
    simulated_host::lock held{host_};
    if (auto x = host_.find("migrate", vm_))
      (*x)->memory.take_dirty();
    std::vector<uint64_t> pages(pages_);
    std::iota(pages.begin(), pages.end(), 0);
    return pages;
  }

  /// What was written to meanwhile. Stops the guest when that is little enough.
  std::vector<uint64_t> next_round(bool& last) {
    simulated_host::lock held{host_};
    auto x = host_.find("migrate", vm_);
    if (!x) {
      last = true;
      return {};
    }
    const auto now = std::chrono::steady_clock::now();
    auto rate = per_second(sent_, now - begun_);
    auto dirty = (*x)->memory.dirty_pages();
    (*x)->job.dirty_pages_per_second = static_cast<uint64_t>(per_second(dirty, now - round_begun_));
    round_begun_ = now;
    auto rest = static_cast<double>(dirty * page_size);
    auto limit = std::chrono::duration<double>{(*x)->max_downtime}.count();
    last = ++iteration_ > last_iteration || rest / rate <= limit;
    if (last && (*x)->phase == guest_phase::running)
      host_.set_phase(**x, guest_phase::paused);
    return (*x)->memory.take_dirty();
  }

  result<void> wait_for_shut() {
    auto expected = qemu_stream::shut_message();
    std::vector<std::byte> answer(expected.size());
    if (auto read = stream_.read(answer, *stop_); !read)
      return read;
    if (answer != expected)
      return simulated_failure(hypervisor_errc::aborted, "migrate", vm_,
                               "the destination could not load it");
    return {};
  }

  simulated_host& host_;
  vm_id vm_;
  uint64_t pages_;
  std::shared_ptr<std::atomic<bool>> stop_;
  stream_socket stream_;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point round_begun_;
  uint64_t sent_ = 0;
  uint32_t iteration_ = 1;
};

// -- source ------------------------------------------------------------------------

result<migration_offer> simulated_driver::migration_begin(vm_id vm) {
  migration_offer offer;
  auto looked = host_->look("migrate", vm, [&](simulated_host& host) -> result<void> {
    auto x = host.find("migrate", vm);
    if (!x)
      return x.error();
    offer = {offer_text((*x)->spec), "begin"};
    return {};
  });
  if (!looked)
    return looked.error();
  return offer;
}

result<std::string> simulated_driver::migration_perform(vm_id vm, const perform_request& request) {
  auto fault = host_->fault_of("migration_perform", vm);
  auto stop = std::make_shared<std::atomic<bool>>(false);
  bool ran = false;
  uint64_t life = 0;
  uint64_t pages = 0;
  auto begun = host_->look("migrate", vm, [&](simulated_host& host) -> result<void> {
    auto x = host.find("migrate", vm);
    if (!x)
      return x.error();
    if ((*x)->performing || (*x)->phase == guest_phase::incoming
        || fault == simulated_fault::refuse)
      return simulated_failure(hypervisor_errc::refused, "migrate", vm, "it can't be sent now");
    ran = (*x)->phase == guest_phase::running;
    life = host.daemon_life_;
    pages = (*x)->memory.pages();
    (*x)->performing = true;
    (*x)->abort = stop;
    (*x)->job = {};
    return {};
  });
  if (!begun)
    return begun.error();
  auto sent = memory_sender{*host_, vm, pages, stop}.send(request.stream_socket);

  simulated_host::lock held{*host_};
  bool daemon_died = host_->daemon_life_ != life;
  if (auto x = host_->find("migrate", vm)) {
    (*x)->performing = false;
    (*x)->abort.reset();
    (*x)->job = {};
    (*x)->migration_source = sent.has_value();
    if (!sent && ran)
      host_->set_phase(**x, guest_phase::running);
    else
      host_->tell(vm);
  } else {
    return x.error();
  }
  if (daemon_died || fault == simulated_fault::lose_answer || fault == simulated_fault::act_late)
    return simulated_failure(hypervisor_errc::outcome_unknown, "migrate", vm,
                             "the answer was lost");
  if (!sent)
    return sent.error();
  return std::string{"perform"};
}

result<void> simulated_driver::migration_confirm(vm_id vm, const std::string&) {
  return host_->change("migration_confirm", vm, [vm](simulated_host& host) -> result<void> {
    auto x = host.find("confirm", vm);
    if (!x)
      return {};
    if (!(*x)->migration_source)
      return simulated_failure(hypervisor_errc::refused, "confirm the migration of", vm,
                               "it is not a source that has sent its memory");
    host.remove_if([vm](const guest& y) { return y.spec.vm == vm; });
    return {};
  });
}

result<void> simulated_driver::migration_abort(vm_id vm) {
  return host_->change("migration_abort", vm, [vm](simulated_host& host) -> result<void> {
    auto x = host.find("abort the migration of", vm);
    if (!x)
      return x.error();
    if ((*x)->abort)
      *(*x)->abort = true;
    return {};
  });
}

result<migration_job> simulated_driver::migration_statistics(vm_id vm) {
  migration_job job;
  auto looked = host_->look("migration_statistics", vm, [&](simulated_host& host) -> result<void> {
    auto x = host.find("read the migration of", vm);
    if (!x)
      return x.error();
    job = (*x)->job;
    return {};
  });
  if (!looked)
    return looked.error();
  return job;
}

result<void> simulated_driver::set_max_downtime(vm_id vm, std::chrono::milliseconds limit) {
  return host_->change("set_max_downtime", vm, [=](simulated_host& host) -> result<void> {
    auto x = host.find("limit the downtime of", vm);
    if (!x)
      return x.error();
    (*x)->max_downtime = limit;
    return {};
  });
}

// -- destination -------------------------------------------------------------------

void simulated_driver::receive(simulated_host& host, receiver& incoming, guest_spec spec,
                               uint64_t pages) {
  guest_memory memory{pages};
  auto stream = incoming.listener.accept(incoming.stop);
  if (!stream)
    return;
  auto name = to_string(spec.vm);
  auto loaded = read_memory(*stream, name, memory, incoming.stop);
  if (loaded) {
    std::lock_guard guard{host.mutex_};
    auto found = host.guests_.find(spec.vm);
    if (found == host.guests_.end() || found->second.incoming.get() != &incoming)
      return;
    found->second.memory = std::move(memory);
    found->second.complete = true;
  }
  auto answer = qemu_stream::shut_message(loaded ? 0 : 1);
  static_cast<void>(stream->write(answer, incoming.stop));
}

result<std::string> simulated_driver::migration_prepare(const prepare_request& request) {
  auto prepared = host_->change(
      "migration_prepare", request.spec.vm,
      [request, owner = static_cast<const void*>(this)](simulated_host& host) -> result<void> {
        auto vm = request.spec.vm;
        if (host.listeners_.count(owner) == 0) // a late call of an agent that has died
          return simulated_failure(hypervisor_errc::unreachable, "prepare", vm, "nobody asks");
        if (host.guests_.count(vm) != 0)
          return simulated_failure(hypervisor_errc::already_there, "prepare", vm,
                                   "it is on this host already");
        if (request.offer.domain_xml != offer_text(request.spec))
          return simulated_failure(hypervisor_errc::refused, "prepare", vm,
                                   "the source's description is of another guest");
        auto listener = stream_socket::listen(request.stream_socket);
        if (!listener)
          return listener.error();
        auto& x = host.guests_[vm];
        x.spec = request.spec;
        x.phase = guest_phase::incoming;
        x.owner = owner;
        x.incoming = std::make_shared<receiver>();
        x.incoming->listener = std::move(*listener);
        x.incoming->thread = std::thread{
            [&host, incoming = x.incoming.get(), spec = request.spec,
             pages = host.pages_of(request.spec)] { receive(host, *incoming, spec, pages); }};
        host.tell(vm);
        return {};
      });
  if (!prepared)
    return prepared.error();
  return std::string{"prepare"};
}

result<std::string> simulated_driver::migration_finish(vm_id vm, const std::string&,
                                                       bool cancelled) {
  auto finished = host_->change(
      "migration_finish", vm, [vm, cancelled](simulated_host& host) -> result<void> {
        auto x = host.find("finish the migration of", vm);
        if (!x)
          return cancelled ? result<void>{} : x.error();
        bool incoming = (*x)->phase == guest_phase::incoming;
        if (!incoming && cancelled)
          return simulated_failure(hypervisor_errc::refused, "cancel the incoming", vm,
                                   "it is finished; it is left alone");
        if (!incoming)
          return {};
        if (cancelled || !(*x)->complete) {
          host.remove_if([vm](const guest& y) { return y.spec.vm == vm; });
          return cancelled ? result<void>{}
                           : simulated_failure(hypervisor_errc::refused, "finish the migration of",
                                               vm, "its memory is not complete");
        }
        host.removed_.push_back(std::move((*x)->incoming));
        host.set_phase(**x, guest_phase::running);
        return {};
      });
  if (!finished)
    return finished.error();
  return std::string{"finish"};
}

} // namespace novacron

#include "dwcp/kept_memory/kept_memory.hpp"

#include "dwcp/transport/session_thread.hpp"
#include "messages/descriptor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <new>
#include <unistd.h>
#include <unordered_map>
#include <utility>

namespace novacron {

struct recording {
  vm_id guest;
  std::filesystem::path part;
  descriptor file; ///< none once something has failed
  uint64_t claimed = 0;
  std::unordered_map<uint64_t, uint64_t> slots; ///< of each page, where it lies in the file
};

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::hours look_every{1};

/// As `page_store` names pages; two that share a name cost one of them its place.
uint64_t key_of(page_place place) {
  return (uint64_t{place.block} << 52) ^ place.page;
}

bool write_at(const descriptor& file, std::span<const std::byte> bytes, uint64_t at) {
  while (!bytes.empty()) {
    const auto count = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
    at += static_cast<uint64_t>(count);
  }
  return true;
}

} // namespace

kept_memory::kept_memory(kept_files files) : files_{std::move(files)} {
  thread_ = start_session_thread([this] { run(); });
}

kept_memory::~kept_memory() {
  {
    const std::scoped_lock lock{mutex_};
    closing_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

result<std::shared_ptr<kept_memory>> kept_memory::open(const std::filesystem::path& folder,
                                                       uint64_t bound_bytes) {
  auto files = kept_files::open(folder, bound_bytes);
  if (!files)
    return files.error();
  return std::shared_ptr<kept_memory>{new kept_memory{std::move(*files)}};
}

std::unique_ptr<memory_recorder> kept_memory::record(vm_id guest) {
  auto into = std::make_shared<recording>();
  into->guest = guest;
  {
    const std::scoped_lock lock{files_mutex_};
    into->part = files_.next_part();
  }
  into->file = descriptor{
      ::open(into->part.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  return std::make_unique<memory_recorder>(shared_from_this(), std::move(into));
}

std::unique_ptr<lent_memory> kept_memory::lend(vm_id guest) {
  auto lent = std::make_unique<lent_memory>();
  const std::scoped_lock lock{files_mutex_};
  for (const auto& each : files_.in_order_for(guest))
    if (descriptor file{::open(files_.path_of(each.guest).c_str(), O_RDONLY | O_CLOEXEC)}; file)
      lent->add(std::move(file), each.bytes / page_size);
  return lent->pages() > 0 ? std::move(lent) : nullptr;
}

void kept_memory::forget(vm_id guest) {
  const std::scoped_lock lock{mutex_};
  forgotten_.push_back(guest);
  changed_.notify_all();
}

uint64_t kept_memory::bytes() const {
  const std::scoped_lock lock{files_mutex_};
  return files_.bytes();
}

/// An end is always taken.
void kept_memory::put(recorded_pages pages) {
  const std::scoped_lock lock{mutex_};
  if (queued_bytes_ + pages.content.size() > queue_bytes) {
    pages.places.clear();
    pages.content.clear();
  }
  if (pages.places.empty() && !pages.end)
    return;
  queued_bytes_ += pages.content.size();
  queue_.push_back(std::move(pages));
  changed_.notify_all();
}

void kept_memory::run() {
  std::unique_lock lock{mutex_};
  while (!closing_) {
    if (queue_.empty()) {
      const auto forgotten = std::exchange(forgotten_, {});
      lock.unlock();
      tidy(forgotten);
      lock.lock();
      changed_.wait_until(lock, clock::now() + look_every,
                          [&] { return closing_ || !queue_.empty() || !forgotten_.empty(); });
      continue;
    }
    const auto next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    try {
      write(*next.into, next);
    } catch (const std::bad_alloc&) {
      next.into->file.reset(); // as a disk without room: this recording ends
    }
    if (next.end)
      end(*next.into, *next.end);
    lock.lock();
    queued_bytes_ -= next.content.size();
  }
}

void kept_memory::tidy(const std::vector<vm_id>& forgotten) {
  const std::scoped_lock lock{files_mutex_};
  for (const auto each : forgotten)
    files_.remove(each);
  files_.remove_older_than(kept_files::file_time::clock::now() - longest);
}

/// New pages go to the end of the file; one that was there is written over. Neighbours are written
/// at once.
void kept_memory::write(recording& into, const recorded_pages& pages) {
  size_t from = 0;    // of what isn't written yet
  uint64_t first = 0; // its slot
  const auto flush = [&](size_t to) {
    const auto bytes = std::span{pages.content}.subspan(from * page_size, (to - from) * page_size);
    if (into.file && !write_at(into.file, bytes, first * page_size))
      into.file.reset();
    from = to;
  };
  for (size_t i = 0; i < pages.places.size() && into.file; ++i) {
    const auto fresh = into.slots.size();
    const auto [slot, added] = into.slots.try_emplace(key_of(pages.places[i]), fresh);
    if (added) {
      const std::scoped_lock lock{files_mutex_};
      if (!files_.claim(page_size)) {
        into.slots.erase(slot);
        flush(i);
        from = i + 1; // there is no room for this one
        continue;
      }
      into.claimed += page_size;
    }
    if (from == i)
      first = slot->second;
    else if (slot->second != first + (i - from)) {
      flush(i);
      first = slot->second;
    }
  }
  if (into.file)
    flush(pages.places.size());
}

void kept_memory::end(recording& x, bool whole) {
  const bool good = static_cast<bool>(x.file) && !x.slots.empty();
  x.file.reset();
  const std::scoped_lock lock{files_mutex_};
  if (good && (whole || x.claimed > files_.bytes_of(x.guest)))
    files_.put(x.guest, x.part, x.claimed);
  else
    files_.give_up(x.part, x.claimed);
}

} // namespace novacron

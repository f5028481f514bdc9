#include "actors/migration/page_cost.hpp"

#include "messages/names.hpp"

namespace novacron {

namespace {

constexpr uint64_t usual_raw_part = 20; // one in so many

} // namespace

migration_cost cost_of(const session_statistics& pages) {
  migration_cost cost;
  cost.guest_bytes = pages.guest_bytes;
  cost.wire_bytes = pages.wire_bytes;
  cost.rounds = pages.rounds;
  cost.chain_ok = pages.chain_ok;
  cost.work.zero_pages = pages.zero_pages;
  const auto held = pages.same_pages + pages.lent_pages; // whoever's they were
  cost.work.whole_pages = pages.full_pages - held - pages.changed_pages;
  cost.work.same_pages = held;
  cost.work.changed_pages = pages.changed_pages;
  cost.work.raw_bytes = pages.raw_bytes;
  cost.work.packed_bytes = pages.compressed_bytes;
  cost.work.reconnects = pages.reconnects;
  return cost;
}

std::optional<std::string> raw_warning(const session_statistics& pages) {
  if (pages.opaque_bytes * usual_raw_part <= pages.guest_bytes)
    return std::nullopt;
  std::string kinds;
  for (size_t n = 0; n < pages.raw_bytes.size(); ++n)
    if (pages.raw_bytes[n] > 0)
      kinds += (kinds.empty() ? "" : ", ") + std::to_string(pages.raw_bytes[n]) + " of "
               + std::string{word_of(static_cast<opaque_reason>(n))};
  return std::to_string(pages.opaque_bytes) + " of " + std::to_string(pages.guest_bytes)
         + " bytes of the guest's stream travelled as they were (" + kinds
         + "); this QEMU may write it in a form that DWCP doesn't know";
}

} // namespace novacron

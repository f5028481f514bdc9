#pragma once

#include "messages/ids.hpp"
#include "messages/log_time.hpp"
#include "messages/migration_terms.hpp"
#include "messages/page_record.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace novacron {

/// How far a migration has come in the log. What happens in between
/// (preparing, pre-copy rounds, switchover) is progress, and not in the log.
///
///     queued ─▶ reserved ─▶ committed ─▶ finished ─▶ done
///        │         │            └──────▶ returned ─▶ rolled_back
///        │         └─▶ aborted ────────────────────▶ rolled_back
///        └─────────────────────────────────────────▶ rolled_back
///
/// Where its terms allow more than one try, an aborted one may have a successor: another record of
/// the same operation, which is queued.
enum class migration_phase : uint8_t {
  reserved,  ///< the destination may hold an incoming, not running copy
  committed, ///< the guest is the destination's; it must run it
  aborted,   ///< the guest is the source's; the destination must drop its copy
  finished,  ///< the guest runs at the destination; the source must drop its own
  returned,  ///< the destination never ran it; the source must resume it
  done,
  rolled_back,
  queued, ///< waits for its turn; the VM doesn't know of it. Since cluster version 7
};

/// What DWCP made of a guest's stream, as the source counted. Since cluster version 5.
struct page_work {
  uint64_t zero_pages = 0;
  uint64_t whole_pages = 0;
  uint64_t same_pages = 0;                          ///< sent as what the destination held
  uint64_t changed_pages = 0;                       ///< sent as a difference from that
  std::array<uint64_t, opaque_reasons> raw_bytes{}; ///< sent as they were, by `opaque_reason`
  uint64_t packed_bytes = 0;                        ///< after compression, before TLS
  uint32_t reconnects = 0; ///< connections that took the place of a lost one

  friend bool operator==(const page_work&, const page_work&) = default;
};

/// What a migration cost, as its source measured it; or its destination, if the source died
/// before it could say.
struct migration_cost {
  std::chrono::milliseconds duration{
      0}; ///< from the reservation until the guest ran at the destination
  uint64_t guest_bytes = 0;
  uint64_t wire_bytes = 0;
  uint32_t rounds = 0;
  bool chain_ok = false;
  page_work work{};

  friend bool operator==(const migration_cost&, const migration_cost&) = default;
};

struct migration_record {
  migration_id id;
  vm_id vm;
  node_id from;
  node_id to;
  novacron::epoch epoch; ///< of the guest at the source
  migration_phase phase = migration_phase::reserved;
  std::string reason;             ///< why aborted or returned
  bool source_clean = false;      ///< the source has done its part of the end
  bool destination_clean = false; ///< the destination has
  migration_cost cost;            ///< filled once known
  operation_id operation;
  log_time created;
  log_time decided;
  log_time ended;
  uint64_t revision = 0;
  migration_terms terms;
  log_time begun;        ///< when it was reserved; zero: not yet, or before cluster version 7
  uint32_t timeline = 0; ///< of the group, when it was reserved; 0 as above
  // Since cluster version 9:
  uint32_t attempt = 1;  ///< of `terms.tries`
  log_time not_before;   ///< of a further try: it waits until then, whatever is free
  bool may_pass = false; ///< aborted by what may be otherwise the next time

  /// Of the guest at the destination, of the new timeline after a recovery: no lost entry has given
  /// it.
  [[nodiscard]] novacron::epoch destination_epoch() const;
  /// It has not begun: no host knows of it.
  [[nodiscard]] bool waits() const { return phase == migration_phase::queued; }
  /// Begun, and neither committed nor aborted yet.
  [[nodiscard]] bool undecided() const { return phase == migration_phase::reserved; }
  [[nodiscard]] bool over() const {
    return phase == migration_phase::done || phase == migration_phase::rolled_back;
  }
  friend bool operator==(const migration_record&, const migration_record&) = default;
};

} // namespace novacron

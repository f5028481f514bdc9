#pragma once

#include "dwcp/codec/batch_format.hpp"
#include "dwcp/codec/content_index.hpp"
#include "dwcp/codec/digest_chain.hpp"
#include "dwcp/codec/lent_pages.hpp"
#include "dwcp/codec/page_store.hpp"
#include "messages/page_record.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace novacron {

/// A batch before it is packed, and what its receiver must know about it.
struct encoded_batch {
  uint32_t raw_bytes = 0; ///< of the stream that it stands for
  uint32_t records = 0;
  chain_value chain{}; ///< of the stream up to its end
  std::vector<std::byte> plan;
};

/// How pages were sent. Counters only grow.
struct page_decisions {
  uint64_t full = 0;    ///< with their content
  uint64_t same = 0;    ///< as what the other end holds of them, or of another page
  uint64_t changed = 0; ///< as the difference from what the other end holds
  uint64_t lent = 0;    ///< as a page of an earlier guest's, which the other end lends
  uint64_t zero = 0;
};

/// Turns records into batches: what a batch holds may refer to all batches before
/// it, so they must be decoded in order. Zero pages, the heads of
/// pages in a row, and pages that the other end holds cost a few bytes per run.
class batch_encoder {
public:
  /// `start` seeds the chain. `store_bytes`: content that both ends hold (`page_store`); 0: none.
  batch_encoder(const chain_value& start, size_t store_bytes);

  /// The other end lends pages (`lent_index::put`). Without a store they are of no use.
  bool lend(uint64_t first, std::span<const page_digest> digests) {
    return lent_.put(first, digests);
  }
  [[nodiscard]] uint64_t pages_on_offer() const { return lent_.pages(); }
  /// Whether pages are looked for among those, as they are to begin with.
  void use_lent(bool use) { use_lent_ = use; }
  void watch(page_watch watch) { watch_ = std::move(watch); }

  /// Adds a record of at most `stream_splitter::max_opaque_bytes`.
  void add(const page_record& record);
  /// Bytes of the stream in the batch that is open.
  [[nodiscard]] size_t raw_bytes() const { return raw_bytes_; }
  [[nodiscard]] bool full() const { return raw_bytes_ >= batch_target_bytes; }
  /// Ends the batch.
  encoded_batch seal();

  [[nodiscard]] const page_decisions& decisions() const { return decisions_; }

private:
  struct run {
    batch_operation operation = batch_operation::opaque;
    uint64_t first = 0;   ///< page number
    uint64_t count = 0;   ///< pages; for opaque: bytes
    int64_t distance = 0; ///< of what each page is the same as, or is lent as
  };

  void add_page(const page_record& record);
  [[nodiscard]] std::optional<uint64_t> find_lent(page_place place, page_content content) const;
  void keep(uint64_t hash, page_place place, page_content content);
  void extend(batch_operation operation, uint64_t page, uint64_t count, int64_t distance = 0);
  void turn_to(uint32_t block);
  void put_operation(batch_operation operation, uint64_t number);
  void close_run();
  void append(std::span<const std::byte> content);

  digest_chain chain_;
  page_store store_;
  content_index index_;
  lent_index lent_;
  bool use_lent_ = true;
  int64_t lent_distance_ = 0; ///< of the last page that was lent
  page_watch watch_;
  page_decisions decisions_;
  uint64_t batches_ = 0;
  run run_;
  uint32_t block_ = 0;
  uint64_t next_page_ = 0;
  std::vector<std::byte> operations_;
  std::vector<std::byte> content_;
  size_t raw_bytes_ = 0;
  uint32_t records_ = 0;
};

} // namespace novacron

#pragma once

#include "dwcp/codec/lent_pages.hpp"
#include "messages/descriptor.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace novacron {

/// Pages of some files of kept memory, numbered through: what one session lends. It holds the files
/// open, so they may be removed meanwhile. Reading is safe from several threads.
class lent_memory final : public page_lender {
public:
  /// So many pages more, as far as `max_lent_pages` leaves room.
  void add(descriptor file, uint64_t pages);

  [[nodiscard]] uint64_t pages() const { return pages_; }
  bool read(uint64_t index, std::span<std::byte, page_size> out) override;
  /// As many pages from `first` on as lie in one file and fit; 0: none that can be read.
  [[nodiscard]] uint64_t read_some(uint64_t first, std::span<std::byte> out) const;

private:
  struct piece {
    uint64_t first = 0; ///< number of its first page
    uint64_t pages = 0;
    descriptor file;
  };

  std::vector<piece> pieces_; ///< by `first`
  uint64_t pages_ = 0;
};

} // namespace novacron

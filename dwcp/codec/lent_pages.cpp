#include "dwcp/codec/lent_pages.hpp"

#include "dwcp/codec/digest_chain.hpp"

#include <algorithm>

namespace novacron {

page_digest digest_of_page(page_content content) {
  const auto whole = digest_of(content);
  page_digest half;
  std::ranges::copy(std::span{whole}.first<16>(), half.begin());
  return half;
}

bool lent_index::put(uint64_t first, std::span<const page_digest> digests) {
  if (first > max_lent_pages || digests.size() > max_lent_pages - first)
    return false;
  said_ += digests.size();
  digests_.resize(std::max<size_t>(digests_.size(), first + digests.size()));
  std::ranges::copy(digests, digests_.begin() + static_cast<ptrdiff_t>(first));
  for (size_t i = 0; i < digests.size(); ++i)
    numbers_.try_emplace(digests[i], static_cast<uint32_t>(first + i));
  return true;
}

std::optional<uint64_t> lent_index::find(page_content content, uint64_t likely) const {
  const auto digest = digest_of_page(content);
  if (likely < digests_.size() && digests_[likely] == digest)
    return likely;
  const auto known = numbers_.find(digest);
  return known == numbers_.end() ? std::nullopt : std::optional<uint64_t>{known->second};
}

} // namespace novacron

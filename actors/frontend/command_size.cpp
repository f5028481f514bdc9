#include "actors/frontend/frontend_state.hpp"
#include "storage/local/entry_packing.hpp"

namespace novacron {

/// As the log itself counts: a batch that it finds too large is refused as a whole.
size_t estimated_bytes(const command& x) {
  return approximate_size({&x, 1});
}

} // namespace novacron

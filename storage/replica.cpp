#include "storage/replica.hpp"

#include "storage/local/local_replica.hpp"

namespace novacron {

result<std::unique_ptr<replica>> replica::open(const replica_config& config) {
  auto opened = std::make_unique<local_replica>(config);
  if (auto problem = opened->open(); !problem)
    return problem.error();
  return std::unique_ptr<replica>{std::move(opened)};
}

} // namespace novacron

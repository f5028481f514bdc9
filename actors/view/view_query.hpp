#pragma once

#include "messages/records.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace novacron {

/// A record's JSON, shared by everyone who sends it.
using shared_json = std::shared_ptr<const std::string>;

/// Which part of a list, in the order of ids.
struct page_query {
  size_t limit = 100; ///< and no more than some MiB, whatever it is
  uuid after;         ///< the last id of the page before; nil: from the start
};

/// All that are set must match. VMs that are gone are shown only to those who
/// ask for that state.
struct vm_query {
  page_query page;
  std::optional<std::string> name;
  std::optional<actual_state> state;
  std::optional<node_id> host;
};

/// Migrations or operations.
struct history_query {
  page_query page;
  std::optional<vm_id> vm;
};

struct view_page {
  std::vector<shared_json> items;
  uuid next;             ///< `after` of the next page; nil: this was the last
  uint64_t revision = 0; ///< of the view when it made the page
};

/// One record.
struct view_document {
  shared_json json;
  uint64_t revision = 0; ///< of the record's last change
};

} // namespace novacron

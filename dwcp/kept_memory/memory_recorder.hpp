#pragma once

#include "dwcp/codec/page_store.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace novacron {

class kept_memory;
struct recording; ///< a file that is being written; the writing thread's

/// What a recorder hands over.
struct recorded_pages {
  std::shared_ptr<recording> into;
  std::vector<page_place> places;
  std::vector<std::byte> content; ///< a page for each place
  std::optional<bool> end;        ///< and that was all: whether it is the guest's whole memory
};

/// Keeps the pages of one session, the last version of each. Nothing here waits or fails: pages
/// that the disk is too slow for are dropped. One thread's, the session's main one.
class memory_recorder {
public:
  memory_recorder(std::shared_ptr<kept_memory> memory, std::shared_ptr<recording> into);
  memory_recorder(const memory_recorder&) = delete;
  memory_recorder& operator=(const memory_recorder&) = delete;
  /// As `end(false)`, unless that was said.
  ~memory_recorder();

  void keep(page_place place, page_content content);
  /// The session has ended. What is kept takes the place of what was kept of this guest before:
  /// if it is `whole`, or more than that was.
  void end(bool whole);

private:
  void hand_over(std::optional<bool> end);

  static constexpr size_t pages_at_once = 64;

  std::shared_ptr<kept_memory> memory_; ///< null after the end
  const std::shared_ptr<recording> into_;
  std::vector<page_place> places_;
  std::vector<std::byte> content_;
};

} // namespace novacron

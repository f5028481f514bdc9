#include "runtime/node/founding.hpp"

#include "messages/uuid.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/errors.hpp"

#include <algorithm>

namespace novacron {

namespace {

namespace fs = std::filesystem;

fs::path mark_of(const fs::path& state) {
  return state / "storage-begun";
}

failure no_founders(const std::string& why) {
  return make_failure(runtime_errc::configuration,
                      "the founders' file: " + why + "; `novacron cluster init` makes it");
}

} // namespace

result<founding> decide_founding(node_id self, const std::vector<node_id>& founders,
                                 const replica_past& past) {
  const bool alone = founders.empty() || founders == std::vector{self};
  if (past.begun && past.empty) {
    if (alone)
      return make_failure(
          runtime_errc::folder,
          "the storage of this node is gone, and it founded the cluster alone: restore a backup; "
          "if "
          "other controllers have joined since, let this machine join them as a new node; if there "
          "are none, remove the file storage-begun beside it to begin again with nothing");
    return founding{{}, true};
  }
  if (alone)
    return founding{};
  if (std::ranges::find(founders, self) == founders.end())
    return founding{{}, true};
  return founding{founders, false};
}

result<std::vector<node_id>> parse_founders(std::string_view text) {
  std::vector<node_id> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty())
      continue;
    const auto id = parse_uuid(line.substr(0, line.find(' ')));
    if (!id || id->nil())
      return no_founders("\"" + std::string{line} + "\" begins with no uuid");
    if (std::ranges::find(out, node_id{*id}) != out.end())
      return no_founders("node " + to_string(node_id{*id}) + " stands there twice");
    out.push_back(node_id{*id});
  }
  if (out.empty())
    return no_founders("it names no node");
  return out;
}

result<std::vector<node_id>> read_founders(const fs::path& file) {
  auto text = read_small_file(file, "the founders");
  if (!text)
    return text.error();
  return parse_founders(*text);
}

fs::path replica_folder(const fs::path& state) {
  return state / "storage";
}

replica_past past_of(const fs::path& state) {
  // What can't be looked at may be there: rather refuse than found a second time.
  auto there = [](const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error) || error;
  };
  const auto folder = replica_folder(state);
  std::error_code error;
  return {there(mark_of(state)), !there(folder) || fs::is_empty(folder, error)};
}

result<void> remember_beginning(const fs::path& state) {
  std::error_code error;
  if (fs::exists(mark_of(state), error))
    return {};
  return write_secret_file(mark_of(state),
                           "A replica of this node has begun. Without this file a node whose "
                           "storage was emptied would vote again.\n");
}

} // namespace novacron

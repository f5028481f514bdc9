#pragma once

#include "messages/codec.hpp"

#include <string>

namespace novacron {

// One line for logs: the type and what tells this message from others, as in
// "proposal(3 commands)". Never a token, signature, cookie or certificate.

std::string to_string(const command& x);
std::string to_string(const command_batch& x);
std::string to_string(const command_outcome& x);
std::string to_string(const lease_record& x);
std::string to_string(const stored_record& x);
std::string to_string(const stored_answer& x);
std::string to_string(const change& x);
std::string to_string(const feed_listing& x);
std::string to_string(const feed_changes& x);
std::string to_string(const feed_filter& x);
std::string to_string(const migration_progress& x);
std::string to_string(const proposal& x);
std::string to_string(const outcomes& x);
std::string to_string(const list_request& x);
std::string to_string(const pull_request& x);
std::string to_string(const hello_challenge_request& x);
std::string to_string(const hello_challenge& x);
std::string to_string(const hello& x);
std::string to_string(const welcome& x);
std::string to_string(const prepare_migration& x);
std::string to_string(const migration_prepared& x);
std::string to_string(const migration_performed& x);
std::string to_string(const kill_actor& x);
std::string to_string(const replica_message& x);
std::string to_string(const replica_message_taken& x);
std::string to_string(const snapshot_chunk_request& x);
std::string to_string(const snapshot_chunk& x);
std::string to_string(const group_status_request& x);
std::string to_string(const group_status& x);
std::string to_string(const actor_tree_request& x);
std::string to_string(const actor_tree& x);

} // namespace novacron

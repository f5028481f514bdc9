#pragma once

#include "messages/schema_mapping.hpp"

namespace novacron {

// Bodies of commands as Cap'n Proto has them, apart from those of VMs and hosts, which are
// codec_commands.cpp's own. `read_body` yields false for what no writer has written.

void write_body(schema::Command::Builder command, const maintain_host& in);
[[nodiscard]] bool read_body(reading&, schema::MaintainHost::Reader in, maintain_host& out);
void write_body(schema::Command::Builder command, const start_rebalance& in);
[[nodiscard]] bool read_body(reading& budget, schema::StartRebalance::Reader in,
                             start_rebalance& out);
void write_body(schema::Command::Builder command, const move_vm& in);
[[nodiscard]] bool read_body(reading&, schema::MoveVm::Reader in, move_vm& out);
void write_body(schema::Command::Builder command, const note_move& in);
[[nodiscard]] bool read_body(reading&, schema::NoteMove::Reader in, note_move& out);
void write_body(schema::Command::Builder command, const cancel_task& in);
[[nodiscard]] bool read_body(reading&, schema::CancelTask::Reader in, cancel_task& out);

void write_body(schema::Command::Builder command, const register_node& in);
[[nodiscard]] bool read_body(reading& budget, schema::RegisterNode::Reader in, register_node& out);
void write_body(schema::Command::Builder command, const wish_member& in);
[[nodiscard]] bool read_body(reading&, schema::WishMember::Reader in, wish_member& out);
void write_body(schema::Command::Builder command, const make_join_token& in);
[[nodiscard]] bool read_body(reading& budget, schema::MakeJoinToken::Reader in,
                             make_join_token& out);
void write_body(schema::Command::Builder command, const use_join_token& in);
[[nodiscard]] bool read_body(reading& budget, schema::UseJoinToken::Reader in, use_join_token& out);
void write_body(schema::Command::Builder command, const recover_cluster& in);
[[nodiscard]] bool read_body(reading&, schema::RecoverCluster::Reader in, recover_cluster& out);

} // namespace novacron

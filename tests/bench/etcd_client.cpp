#include "etcd_client.hpp"

#include "etcd_rpc.grpc.pb.h"
#include "values.hpp"

#include <fstream>
#include <grpcpp/grpcpp.h>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace novacron::bench {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr size_t value_of_writers = 256;
constexpr size_t writers = 4;
constexpr size_t connections_from = 64; // calls under way
constexpr size_t many_connections = 8;

std::string contents(const std::filesystem::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A connection of its own: gRPC shares them between channels that are alike.
std::shared_ptr<grpc::Channel> connect(const etcd_endpoint& member) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2'000); // how long a handshake may take
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  auto credentials = grpc::SslCredentials(
      {contents(member.authority), contents(member.key), contents(member.certificate)});
  return grpc::CreateCustomChannel(member.address, credentials, arguments);
}

std::optional<etcdserverpb::StatusResponse> status_of(const etcd_endpoint& member) {
  auto stub = etcdserverpb::Maintenance::NewStub(connect(member));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 1s);
  etcdserverpb::StatusResponse answer;
  if (!stub->Status(&context, {}, &answer).ok())
    return std::nullopt;
  return answer;
}

etcdserverpb::PutRequest next_put(values& source, size_t value_bytes) {
  etcdserverpb::PutRequest put;
  put.set_key("vm-" + std::to_string(source.run()) + '-' + std::to_string(source.next_number()));
  put.set_value(source.next_value(value_bytes));
  return put;
}

/// One call under way.
struct call {
  grpc::ClientContext context;
  etcdserverpb::PutResponse answer;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::PutResponse>> reader;
  clock::time_point sent;
  size_t connection = 0;
};

} // namespace

bool etcd_leads(const etcd_endpoint& member) {
  auto status = status_of(member);
  return status && status->leader() != 0 && status->leader() == status->header().member_id();
}

bool etcd_follows(const etcd_endpoint& member) {
  auto status = status_of(member);
  return status && status->leader() != 0;
}

load_result etcd_load(const etcd_endpoint& member, uint64_t run, const load_plan& plan) {
  const auto connections = plan.outstanding >= connections_from ? many_connections : 1;
  std::vector<std::unique_ptr<etcdserverpb::KV::Stub>> stubs;
  for (size_t i = 0; i < connections; ++i) {
    auto channel = connect(member);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + 20s))
      throw std::runtime_error{"cannot connect to etcd at " + member.address};
    stubs.push_back(etcdserverpb::KV::NewStub(channel));
  }
  grpc::CompletionQueue answers;
  values source{run};
  auto send = [&](size_t connection) {
    auto next = std::make_unique<call>();
    next->connection = connection;
    next->context.set_deadline(std::chrono::system_clock::now() + 10s);
    next->sent = clock::now();
    next->reader
        = stubs[connection]->AsyncPut(&next->context, next_put(source, plan.value_bytes), &answers);
    auto* raw = next.release(); // comes back as the tag
    raw->reader->Finish(&raw->answer, &raw->status, raw);
  };
  const auto from = clock::now() + plan.warm_up;
  const auto end = from + plan.lasts;
  load_result result;
  result.seconds = std::chrono::duration<double>(plan.lasts).count();
  for (size_t i = 0; i < plan.outstanding; ++i)
    send(i % connections);
  size_t under_way = plan.outstanding;
  void* tag = nullptr;
  for (bool good = false; under_way > 0 && answers.Next(&tag, &good);) {
    std::unique_ptr<call> done{static_cast<call*>(tag)};
    const auto now = clock::now();
    if (now >= from && now < end) {
      if (done->status.ok())
        result.calls.add(now - done->sent);
      else if (++result.failed == 1)
        result.first_failure = done->status.error_message();
    }
    if (now >= end)
      --under_way;
    else
      send(done->connection);
  }
  answers.Shutdown();
  return result;
}

etcd_writers::etcd_writers(const std::vector<etcd_endpoint>& members, uint64_t run) {
  for (size_t i = 0; i < writers; ++i)
    threads_.emplace_back([this, members, run, i] { write(members, run * writers + i, i); });
}

void etcd_writers::stop() {
  over_ = true;
  for (auto& each : threads_)
    each.join();
  threads_.clear();
}

void etcd_writers::write(const std::vector<etcd_endpoint>& members, uint64_t run, size_t first) {
  std::vector<std::unique_ptr<etcdserverpb::KV::Stub>> stubs;
  for (const auto& each : members)
    stubs.push_back(etcdserverpb::KV::NewStub(connect(each)));
  values source{run};
  for (auto at = first; !over_;) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 500ms);
    etcdserverpb::PutResponse answer;
    const auto sent = clock::now();
    const auto put = next_put(source, value_of_writers);
    if (!stubs[at % stubs.size()]->Put(&context, put, &answer).ok()) {
      ++at;
      std::this_thread::sleep_for(5ms);
      continue;
    }
    std::lock_guard lock{mutex_};
    all_.emplace_back(sent, clock::now());
  }
}

std::optional<etcd_writers::time_point> etcd_writers::first_sent_after(time_point from) const {
  std::lock_guard lock{mutex_};
  std::optional<time_point> first;
  for (const auto& [sent, answered] : all_)
    if (sent >= from && (!first || answered < *first))
      first = answered;
  return first;
}

} // namespace novacron::bench

#include "rpc/worker_sessions.h"

#include "base/status_macros.h"
#include "base/uuid.h"
#include "engine/refusal.h"
#include "engine/submission.h"
#include "rpc/worker_rules.h"
#include "rpc/worker_session.h"

namespace jobrunner::rpc {
namespace {

using engine::WorkerId;

WorkerId WorkerOf(const engine::WorkerWelcome& welcome) { return welcome.worker; }
WorkerId WorkerOf(const engine::StopOrder& stop) { return stop.at; }
WorkerId WorkerOf(const engine::Assignment& start) { return start.at; }
WorkerId WorkerOf(const engine::Acknowledgement& one) { return one.worker; }
WorkerId WorkerOf(const engine::WorkerCheck& check) { return check.worker; }
WorkerId WorkerOf(const engine::WorkerEnd& end) { return end.worker; }

// Sorts one kind of orders by worker.
template <typename Order>
void Distribute(std::vector<Order>& orders, std::vector<Order> engine::RemoteOrders::*kind,
                absl::flat_hash_map<WorkerId, engine::RemoteOrders>* by_worker) {
  WorkerId last = engine::kOwnPool;
  std::vector<Order>* to = nullptr;
  for (Order& order : orders) {
    // Mostly the same as the one before.
    if (const WorkerId worker = WorkerOf(order); to == nullptr || worker != last) {
      to = &((*by_worker)[worker].*kind);
      last = worker;
    }
    to->push_back(std::move(order));
  }
}

// What no server has made no server will claim.
std::vector<AssignmentId> IdsOf(const v1::WorkerHello& hello) {
  std::vector<AssignmentId> ids;
  for (const std::string& text : hello.assignment_ids()) {
    if (const auto id = AssignmentId::Parse(text)) ids.push_back(*id);
  }
  return ids;
}

}  // namespace

WorkerSessions::WorkerSessions(Parts parts)
    : engine_(std::move(parts.engine)),
      clock_(*parts.clock),
      lease_(parts.lease),
      own_handlers_(parts.own_handlers.begin(), parts.own_handlers.end()) {}

WorkerSessions::~WorkerSessions() = default;

absl::StatusOr<WorkerSessions::Identity> WorkerSessions::Join(const v1::WorkerHello& hello,
                                                              std::weak_ptr<WorkerSession> session,
                                                              IdsByToken* brought) {
  RETURN_IF_ERROR(CheckHello(hello, own_handlers_));
  const std::vector<AssignmentId> ids = IdsOf(hello);
  absl::MutexLock lock(&mutex_);
  ForgetOld();
  Identity identity{.worker = engine::kOwnPool, .session_id = SessionOf(hello)};
  // Who comes back may: it has outcomes to bring, and would lose its lease outside.
  if (draining_ && !known_.contains(identity.session_id)) {
    return engine::Refuse(absl::StatusCode::kUnavailable, "DRAINING", "the server is draining");
  }
  identity.worker = ++last_worker_;
  Known& known = Identify(&identity);
  if (!ids.empty()) GoBy(hello.session_id(), identity.session_id);
  open_[identity.worker] = {std::move(session), identity.session_id};
  engine::WorkerJoin join;
  join.worker = identity.worker;
  join.previous = std::exchange(known.worker, identity.worker);
  join.name = hello.name();
  join.labels = {hello.labels().begin(), hello.labels().end()};
  join.sdk = hello.sdk();
  join.handlers = {hello.handlers().begin(), hello.handlers().end()};
  for (const std::string& pool : hello.pools()) join.handlers.push_back(engine::NeedOfPool(pool));
  join.slots = hello.slots();
  for (const AssignmentId& id : ids) {
    const auto taken_over = known.taken_over.find(id.token());
    const engine::AttemptToken token =
        taken_over == known.taken_over.end() ? id.token() : taken_over->second;
    if (!brought->emplace(token, id).second) continue;
    join.held.push_back({std::string(id.batch_id()), id.index(), token});
  }
  // With the lock: of two that take up one session the engine hears in the order of their ids.
  engine_.tell(std::move(join));
  return identity;
}

std::string WorkerSessions::SessionOf(const v1::WorkerHello& hello) const {
  const auto found = earlier_ids_.find(hello.session_id());
  return found == earlier_ids_.end() ? hello.session_id() : found->second;
}

// It may come back by that once more: if its stream breaks before it has seen its welcome.
void WorkerSessions::GoBy(const std::string& earlier_id, const std::string& session_id) {
  if (earlier_id.empty() || earlier_id == session_id) return;
  earlier_ids_[earlier_id] = session_id;
  known_.at(session_id).earlier_id = earlier_id;
}

// Gives a session that is not known a new id.
WorkerSessions::Known& WorkerSessions::Identify(Identity* identity) {
  auto known = known_.find(identity->session_id);
  if (known == known_.end()) {
    identity->session_id = base::RandomUuid();
    known = known_.emplace(identity->session_id, Known()).first;
  }
  known->second.forgotten_at = base::SteadyTime::max();
  return known->second;
}

void WorkerSessions::Remember(const engine::WorkerWelcome& welcome) {
  absl::MutexLock lock(&mutex_);
  const auto open = open_.find(welcome.worker);
  if (open == open_.end()) return;
  const auto known = known_.find(open->second.session_id);
  if (known == known_.end()) return;
  for (const engine::Claim& claim : welcome.claims) {
    if (claim.held == claim.token) continue;
    known->second.taken_over[claim.held] = claim.token;
  }
}

void WorkerSessions::Leave(const Identity& identity) {
  absl::MutexLock lock(&mutex_);
  ForgetOld();
  open_.erase(identity.worker);
  const auto known = known_.find(identity.session_id);
  // Another stream may have taken it up.
  if (known == known_.end() || known->second.worker != identity.worker) return;
  known->second.forgotten_at = clock_.Read().steady + lease_;
  leaving_.emplace_back(known->second.forgotten_at, identity.session_id);
}

void WorkerSessions::ForgetOld() {
  const base::SteadyTime now = clock_.Read().steady;
  while (!leaving_.empty() && leaving_.front().first < now) {
    const auto known = known_.find(leaving_.front().second);
    if (known != known_.end() && known->second.forgotten_at < now) {
      earlier_ids_.erase(known->second.earlier_id);
      known_.erase(known);
    }
    leaving_.pop_front();
  }
}

std::vector<std::shared_ptr<WorkerSession>> WorkerSessions::All() {
  std::vector<std::shared_ptr<WorkerSession>> all;
  for (const auto& [worker, open] : open_) {
    if (auto session = open.session.lock()) all.push_back(std::move(session));
  }
  return all;
}

void WorkerSessions::Drain() {
  std::vector<std::shared_ptr<WorkerSession>> sessions;
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
    sessions = All();
  }
  for (const auto& session : sessions) session->Drain();
}

void WorkerSessions::Perform(engine::RemoteOrders orders) {
  for (const engine::WorkerWelcome& welcome : orders.welcomes) Remember(welcome);
  SessionOrders by_worker;
  Distribute(orders.welcomes, &engine::RemoteOrders::welcomes, &by_worker);
  Distribute(orders.stops, &engine::RemoteOrders::stops, &by_worker);
  Distribute(orders.starts, &engine::RemoteOrders::starts, &by_worker);
  Distribute(orders.acknowledgements, &engine::RemoteOrders::acknowledgements, &by_worker);
  Distribute(orders.checks, &engine::RemoteOrders::checks, &by_worker);
  Distribute(orders.ends, &engine::RemoteOrders::ends, &by_worker);
  for (auto& [worker, its_orders] : by_worker) Hand(worker, std::move(its_orders));
}

void WorkerSessions::Hand(WorkerId worker, engine::RemoteOrders orders) {
  std::shared_ptr<WorkerSession> session;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = open_.find(worker);
    if (found != open_.end()) session = found->second.session.lock();
  }
  // Else its stream has ended.
  if (session) session->Order(std::move(orders));
}

}  // namespace jobrunner::rpc

// Remote workers: what the engine has them told, and what it makes of them, held against leases as
// they were promised.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/proto_time.h"
#include "google/rpc/code.pb.h"
#include "simulation/world.h"

namespace jobrunner::simulation {
namespace {

using engine::AttemptToken;
using engine::JobTransition;
using engine::kOwnPool;
using engine::Later;

bool Has(const std::vector<AttemptToken>& tokens, const AttemptToken& token) {
  return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
}

bool Names(const std::vector<engine::HeldAttempt>& held, const AttemptToken& token) {
  return std::any_of(held.begin(), held.end(), [&](const auto& one) { return one.token == token; });
}

}  // namespace

void World::TellFromWorker(engine::Input input) {
  if (const auto* join = std::get_if<engine::WorkerJoin>(&input)) Note(*join);
  if (const auto* answer = std::get_if<engine::WorkerAnswer>(&input)) Note(*answer);
  if (const auto* leaving = std::get_if<engine::WorkerLeaving>(&input)) Note(*leaving);
  // It may come back for another lease.
  if (const auto* gone = std::get_if<engine::WorkerGone>(&input)) {
    sessions_[gone->worker].connected = false;
    Hear(sessions_[gone->worker]);
  }
  Tell(std::move(input));
}

void World::Note(const engine::WorkerJoin& join) {
  Session& session = sessions_[join.worker];
  session.handlers = join.handlers;
  session.slots = join.slots;
  session.last_heard = timeline_.now().steady;
  session.brought = join.held;
  const auto previous = sessions_.find(join.previous);
  if (previous == sessions_.end() || previous->second.over) return;
  previous->second.over = true;
  for (auto& [number, live] : live_) {
    if (live.at != join.previous) continue;
    // It names by its old token what a welcome that it did not see gave a new one.
    if (Names(join.held, live.token) || Names(join.held, live.brought_as)) {
      live.at = join.worker;
      live.check_before = 0;
    } else {
      previous->second.denied.insert(number);
    }
  }
}

void World::Note(const engine::WorkerAnswer& answer) {
  Session& session = sessions_[answer.worker];
  // A late one counts, one that came before does not.
  if (session.over || answer.number <= session.answered || answer.number > session.check) return;
  session.answered = answer.number;
  Hear(session);
  for (const auto& [number, live] : live_) {
    const bool asked = live.at == answer.worker && live.check_before < answer.number;
    if (asked && !Has(answer.held, live.token)) session.denied.insert(number);
  }
}

void World::Note(const engine::WorkerLeaving& leaving) {
  Session& session = sessions_[leaving.worker];
  session.leaving = true;
  for (const auto& [number, live] : live_) {
    const bool crossed = live.at == leaving.worker && !Has(*leaving.held, live.token);
    if (crossed) session.crossed.insert(number);
  }
}

void World::PerformRemote(engine::RemoteOrders& orders) {
  for (const engine::WorkerCheck& check : orders.checks) {
    sessions_[check.worker].check = check.number;
  }
  for (const engine::WorkerWelcome& welcome : orders.welcomes) WelcomeWorker(welcome);
  for (const engine::StopOrder& stop : orders.stops) {
    // Of what was claimed it is known only now.
    NoteStop(stop);
    workers_.Stop(stop);
  }
  for (const engine::Assignment& start : orders.starts) {
    if (!verdict_.failed()) StartAtWorker(start);
  }
  for (const engine::Acknowledgement& one : orders.acknowledgements) workers_.Acknowledge(one);
  for (const engine::WorkerCheck& check : orders.checks) workers_.Check(check);
  for (const engine::WorkerEnd& end : orders.ends) EndSession(end);
}

void World::WelcomeWorker(const engine::WorkerWelcome& welcome) {
  Session& session = sessions_[welcome.worker];
  // It came back in the same Step, on another stream.
  if (session.over) return;
  Require(!session.welcomed, "a worker is welcomed once");
  session.welcomed = true;
  session.last_heard = timeline_.now().steady;
  for (const engine::Claim& claim : welcome.claims) {
    const auto brought =
        std::find_if(session.brought.begin(), session.brought.end(),
                     [&](const engine::HeldAttempt& held) { return held.token == claim.held; });
    Require(brought != session.brought.end(), "a worker goes on with what it brought alone");
    if (verdict_.failed()) return;
    if (!(claim.held == claim.token)) Adopt(welcome.worker, *brought, claim.token);
  }
  workers_.Welcome(welcome);
}

// An attempt that an earlier server had assigned goes on.
void World::Adopt(engine::WorkerId worker, const engine::HeldAttempt& held, AttemptToken token) {
  BatchChecker& checker = *checkers_.at(held.batch_id);
  // It may have been ended before its worker was welcomed.
  if (!checker.IsUnclaimed(held.index)) return;
  checker.Claimed(held.index);
  remote_moments_.Count(RemoteMoment::kAdopted);
  Live& live = live_[token.number];
  live.token = token;
  live.brought_as = held.token;
  live.batch_id = held.batch_id;
  live.index = held.index;
  live.attempt = checker.fold().Job(held.index).attempts;
  live.queue = checker.fold().header().spec.queue();
  live.at = worker;
  ++queues_.at(live.queue).running;
}

void World::NoteStop(const engine::StopOrder& stop) {
  const auto live = live_.find(stop.token.number);
  const auto ending = endings_.find(stop.token.number);
  if (live != live_.end()) {
    live->second.stop_asked = true;
    live->second.force_time =
        std::min(live->second.force_time, Later(timeline_.now().steady, stop.grace));
  } else if (ending != endings_.end()) {
    ending->second.told.stop_asked = true;
    ending->second.checker->Told(ending->second.index, ending->second.told);
  }
}

void World::StartAtWorker(const engine::Assignment& assignment) {
  const Session& session = sessions_[assignment.at];
  CheckStart(assignment);
  if (verdict_.failed()) return;
  Live& live = live_.at(assignment.token.number);
  live.check_before = session.check;
  const std::string name = absl::StrCat(live.batch_id, " job ", live.index, ": ");
  Require(session.welcomed && !session.over && !session.leaving,
          name + "a worker is given something while it takes something");
  const std::string& handler = assignment.job().handler().name();
  Require(std::find(session.handlers.begin(), session.handlers.end(), handler) !=
              session.handlers.end(),
          name + "a worker is given what it offers");
  const auto held = std::count_if(live_.begin(), live_.end(), [&](const auto& entry) {
    return entry.second.at == assignment.at;
  });
  Require(held <= session.slots, name + "a worker holds no more than its slots");
  workers_.Start(assignment);
}

void World::EndSession(const engine::WorkerEnd& end) {
  Session& session = sessions_[end.worker];
  Require(session.over || session.spoke_late || IsLeaseOver(session),
          "a session ends when its lease is over, or taken up");
  session.over = true;
  workers_.End(end);
}

World::Live* World::FindLive(const std::string& batch_id, int32_t index) {
  const auto found = std::find_if(live_.begin(), live_.end(), [&](const auto& entry) {
    return entry.second.index == index && entry.second.batch_id == batch_id;
  });
  return found == live_.end() ? nullptr : &found->second;
}

bool World::IsLeaseOver(const Session& session) const {
  // Until it is welcomed it has nothing to answer.
  if (session.connected && !session.welcomed) return false;
  return timeline_.now().steady >= session.last_heard + options_.worker_lease;
}

void World::Hear(Session& session) const {
  if (IsLeaseOver(session)) session.spoke_late = true;
  session.last_heard = timeline_.now().steady;
}

bool World::MayBeLost(const Live& live) const {
  const Session& session = sessions_.at(live.at);
  return session.denied.contains(live.token.number) || IsLeaseOver(session);
}

void World::CheckRemoteEnds(BatchChecker& checker, const engine::Changed& changed) {
  for (const engine::JobChange& change : changed.changes) {
    const bool ends = change.transition == JobTransition::kRetryAt ||
                      change.transition == JobTransition::kFailForGood ||
                      change.transition == JobTransition::kCancel ||
                      change.transition == JobTransition::kPutBack;
    if (ends && checker.IsRemote(change.index)) CheckRemoteEnd(checker, change);
  }
}

// Of an attempt whose worker has not said how it ended.
void World::CheckRemoteEnd(BatchChecker& checker, const engine::JobChange& change) {
  const std::string& id = checker.fold().id();
  const std::string name = absl::StrCat(id, " job ", change.index, ": ");
  if (checker.IsUnclaimed(change.index)) {
    const bool claimed = std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
      const auto& brought = entry.second.brought;
      return std::any_of(brought.begin(), brought.end(), [&](const engine::HeldAttempt& one) {
        return one.batch_id == id && one.index == change.index;
      });
    });
    const bool waited = timeline_.now().steady >= restarted_at_ + options_.worker_lease;
    Require(claimed || waited, name + "what a worker had may be claimed for a lease");
    return;
  }
  if (Live* live = FindLive(id, change.index)) return CheckGivenUp(checker, *live, change);
  // It was assigned, its start was not stored yet, and its worker went.
  const bool lost = change.transition == JobTransition::kRetryAt ||
                    change.transition == JobTransition::kFailForGood;
  if (lost && !checker.HasBegun(change.index)) checker.TellLost(change.index, /*stopped=*/false);
}

void World::CheckGivenUp(BatchChecker& checker, const Live& live, const engine::JobChange& change) {
  const std::string name = absl::StrCat(live.batch_id, " job ", live.index, ": ");
  const Session& session = sessions_.at(live.at);
  const bool crossed = session.crossed.contains(live.token.number);
  const bool forced = live.stop_asked && timeline_.now().steady >= live.force_time;
  if (change.transition == JobTransition::kPutBack) {
    Require(crossed, name + "what is put back was on its way to a worker that left");
    checker.AllowPutBack(live.index);
  } else {
    Require(MayBeLost(live) || forced || crossed, name + "what a worker holds is its own");
  }
  remote_moments_.Count(change.transition == JobTransition::kPutBack ? RemoteMoment::kPutBack
                                                                     : RemoteMoment::kGivenUp);
  checker.TellLost(live.index, live.stop_asked);
  --queues_.at(live.queue).running;
  live_.erase(live.token.number);
}

// What is over by now has been ended.
void World::CheckLeases() {
  for (const auto& [number, live] : live_) {
    if (live.at == kOwnPool) continue;
    const std::string name = absl::StrCat(live.batch_id, " job ", live.index, ": ");
    Require(!MayBeLost(live), name + "what is lost is known to be");
    Require(!sessions_.at(live.at).crossed.contains(number), name + "what crossed is put back");
    Require(timeline_.now().steady <= Later(live.force_time, lag_),
            name + "what does not stop is given up");
  }
}

}  // namespace jobrunner::simulation

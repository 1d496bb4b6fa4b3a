// An engine with remote workers that do what the test says.

#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine_fixture.h"

namespace jobrunner::engine {

class WorkersTest : public EngineTest {
 protected:
  WorkersTest() {
    options.own_handlers =
        std::make_shared<const std::set<std::string>>(std::set<std::string>{"echo"});
    options.worker_lease = 9s;
  }

  static v1::BatchSpec Remote(int count, const std::string& text = "") {
    return Jobs(std::vector<std::string>(count, kResize), text);
  }

  void Join(WorkerId worker, int32_t slots, std::vector<std::string> handlers = {"resize"}) {
    WorkerJoin join;
    join.worker = worker;
    join.name = "camera " + std::to_string(worker);
    join.handlers = std::move(handlers);
    join.slots = slots;
    Tell(std::move(join));
  }

  // What was assigned to the worker and is not known to have ended.
  std::vector<int32_t> HeldBy(WorkerId worker) const {
    std::vector<int32_t> indexes;
    for (const Assignment& one : remote_.starts) {
      if (one.at == worker && !ended_.contains(one.token.number)) indexes.push_back(one.index);
    }
    return indexes;
  }

  const Assignment& Assigned(WorkerId worker, int32_t index) const {
    const auto found =
        std::find_if(remote_.starts.rbegin(), remote_.starts.rend(),
                     [&](const Assignment& one) { return one.at == worker && one.index == index; });
    EXPECT_NE(found, remote_.starts.rend()) << "job " << index << " was not assigned";
    return *found;
  }

  void Report(WorkerId worker, AttemptToken token, std::unique_ptr<Failure> failure = nullptr) {
    ended_.insert(token.number);
    Outcome outcome;
    outcome.token = token;
    outcome.at = worker;
    outcome.output = "done";
    outcome.failure = std::move(failure);
    Tell(std::move(outcome));
  }

  void Report(WorkerId worker, int32_t index) { Report(worker, Assigned(worker, index).token); }

  void Answer(WorkerId worker, std::vector<AttemptToken> held) {
    ASSERT_FALSE(remote_.checks.empty());
    Tell(WorkerAnswer{worker, remote_.checks.back().number, std::move(held)});
  }

  WorkerJoin ComesBack(WorkerId worker, WorkerId previous, const std::string& batch,
                       const std::vector<int32_t>& indexes) {
    WorkerJoin join;
    join.worker = worker;
    join.previous = previous;
    join.name = "camera";
    join.handlers = {"resize"};
    join.slots = 10;
    for (const int32_t index : indexes) {
      join.held.push_back({batch, index, Assigned(previous, index).token});
    }
    return join;
  }

  static constexpr char kResize[] = "handler { name: \"resize\" }";
  std::set<uint64_t> ended_;
};

}  // namespace jobrunner::engine

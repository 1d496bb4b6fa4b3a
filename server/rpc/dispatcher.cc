#include "rpc/dispatcher.h"

#include <utility>
#include <vector>

namespace jobrunner::rpc {

Dispatcher::Dispatcher() : thread_([this] { Run(); }) {}

Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::Post(Task task) { PostAt(base::SteadyTime::min(), std::move(task)); }

void Dispatcher::PostAt(base::SteadyTime time, Task task) { mailbox_.Put({time, std::move(task)}); }

void Dispatcher::Stop() {
  mailbox_.Close();
  if (thread_.joinable()) thread_.join();
}

void Dispatcher::Run() {
  std::vector<Item> items;
  const auto take = [&] {
    return later_.empty() ? mailbox_.Take(&items)
                          : mailbox_.TakeUntil(later_.begin()->first, &items);
  };
  while (take()) {
    for (Item& item : items) {
      if (item.time == base::SteadyTime::min()) {
        item.task();
        // What it holds may be the last of its kind: it goes now, not when all have run.
        item.task = nullptr;
      } else {
        later_.emplace(item.time, std::move(item.task));
      }
    }
    RunDue();
  }
}

void Dispatcher::RunDue() {
  if (later_.empty()) return;
  const base::SteadyTime now = clock_.Read().steady;
  while (!later_.empty() && later_.begin()->first <= now) {
    auto due = later_.extract(later_.begin());
    due.mapped()();
  }
}

}  // namespace jobrunner::rpc

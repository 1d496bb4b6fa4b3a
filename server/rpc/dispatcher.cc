#include "rpc/dispatcher.h"

#include <utility>
#include <vector>

namespace jobrunner::rpc {

Dispatcher::Dispatcher() : thread_([this] { Run(); }) {}

Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::Post(Task task) { mailbox_.Put(std::move(task)); }

void Dispatcher::Stop() {
  mailbox_.Close();
  if (thread_.joinable()) thread_.join();
}

void Dispatcher::Run() {
  std::vector<Task> tasks;
  while (mailbox_.Take(&tasks)) {
    for (Task& task : tasks) {
      task();
      // What it holds may be the last of its kind: it goes now, not when all have run.
      task = nullptr;
    }
  }
}

}  // namespace jobrunner::rpc

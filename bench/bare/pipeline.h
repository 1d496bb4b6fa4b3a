// The bare pipeline: a deciding thread and a working thread, and, if it is durable, a committer.

#pragma once

#include <memory>
#include <string>
#include <thread>
#include <variant>

#include "bare.grpc.pb.h"
#include "base/mailbox.h"
#include "bench/bare/log_store.h"
#include "bench/bare/run_stream.h"

namespace jobrunner::bench {

class Pipeline {
 public:
  // With a store, a batch is worked on once its jobs are stable, and events are shown once they
  // are.
  explicit Pipeline(std::unique_ptr<LogStore> store);
  ~Pipeline();

  void Submit(Submitted* submitted) { told_.Put(submitted); }

 private:
  struct Done {
    Submitted* submitted;
    int begin;
    int end;
  };
  // Events of a batch, serialized.
  struct Events {
    Submitted* submitted;
    std::string bytes;
    bool last;
  };
  struct Stored {
    Submitted* submitted;
  };
  using Told = std::variant<Submitted*, Done, Stored, Events>;
  using Write = std::variant<Submitted*, Events>;

  void Decide();
  void Handle(Submitted* submitted);
  void Handle(const Done& done);
  void Handle(const Stored& stored) { work_.Put(stored.submitted); }
  void Handle(Events& events) {
    events.submitted->stream->Publish(std::move(events.bytes), events.last);
  }
  void Work();
  void Commit();
  static void Append(const Event& event, std::string* bytes);

  const std::unique_ptr<LogStore> store_;
  base::Mailbox<Told> told_;
  base::Mailbox<Submitted*> work_;
  base::Mailbox<Write> writes_;
  Event event_;
  std::thread decider_;
  std::thread worker_;
  std::thread committer_;
};

}  // namespace jobrunner::bench

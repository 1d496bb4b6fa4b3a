#include "rpc/event_stream.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/refusal.h"
#include "rpc/status.h"

namespace jobrunner::rpc {

void EventStream::Follow(Position position) {
  position_ = std::move(position);
  {
    absl::MutexLock lock(&lag_mutex_);
    batch_id_ = position_.batch_id;
    sent_sequence_ = position_.after_sequence;
  }
  Read();
}

int64_t EventStream::lag() const {
  absl::MutexLock lock(&lag_mutex_);
  return std::max<int64_t>(parts_.logs->LastSequence(batch_id_) - sent_sequence_, 0);
}

void EventStream::LogGrew() {
  parts_.dispatcher->PostAt(pace_.next(), [stream = self()] { stream->Read(); });
}

void EventStream::EndByServer() { server_stops_ = true; }

void EventStream::WriteDone() { Read(); }

void EventStream::ClientGone() {
  // A stream that is cut off while the server stops has not lost its client.
  if (client_gone_ && !server_stops_) client_gone_();
}

void EventStream::ReadLater() {
  parts_.dispatcher->Post([stream = self()] { stream->Read(); });
}

void EventStream::Read() {
  parts_.store->ReadLog(position_.batch_id, position_.after_sequence, kPageBytesMax,
                        [stream = self()](absl::StatusOr<engine::LogPage> page) {
                          if (page.ok()) {
                            stream->Send(*page);
                          } else {
                            stream->EndWith(page.status());
                          }
                        });
}

void EventStream::EndWith(const absl::Status& status) {
  End(absl::IsNotFound(status) ? engine::NoSuchBatch(position_.batch_id) : status);
}

void EventStream::Send(const engine::LogPage& page) {
  if (position_.found) std::exchange(position_.found, nullptr)();

  EventMessage message(position_.after_sequence, position_.kinds);
  if (!position_.head.empty()) message.AddHead(std::exchange(position_.head, std::string()));
  bool all = true;
  for (const auto& segment : page.segments) {
    all = message.Add(segment);
    if (!all) break;
  }
  const bool moved = message.last_sequence() > position_.after_sequence;
  calls().EventsSent(message.events());
  position_.after_sequence = message.last_sequence();
  pace_.Sent(message.events(), std::chrono::steady_clock::now());
  if (moved) {
    absl::MutexLock lock(&lag_mutex_);
    sent_sequence_ = position_.after_sequence;
  }

  if (all && page.finished) {
    message.empty() ? End(absl::OkStatus()) : WriteAndEnd(message.Build());
  } else if (!message.empty()) {
    Write(message.Build());
  } else if (moved) {
    // Nothing of the page was wanted. Others come first: a log can have many such pages.
    ReadLater();
  } else {
    AwaitGrowth();
  }
}

void EventStream::AwaitGrowth() {
  if (!position_.follow || last_look_) return End(absl::OkStatus());
  SendHeaders();
  switch (parts_.logs->Await(position_.batch_id, position_.after_sequence, self())) {
    case engine::EventLogs::Awaited::kWaiting:
      // Else whoever sets it from now on has it woken.
      if (server_stops_) End(ServerStops());
      return;
    case engine::EventLogs::Awaited::kGrew:
      return Read();
    case engine::EventLogs::Awaited::kNotLive:
      // It may have finished since the store was read.
      last_look_ = true;
      return Read();
  }
}

}  // namespace jobrunner::rpc

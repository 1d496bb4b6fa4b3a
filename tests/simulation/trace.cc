#include "simulation/trace.h"

namespace jobrunner::simulation {

void Trace::Add(base::Now now, const engine::Effects& effects) {
  AddNumber(now.steady.time_since_epoch().count());
  for (const engine::Write& write : effects.writes) AddWrite(write);
  AddNumber(static_cast<int64_t>(effects.ticket));
  AddNumber(static_cast<int64_t>(effects.sync));
  AddNumber(effects.find_expired.has_value());
  for (const engine::Publish& publish : effects.publishes) {
    AddText(publish.batch->id);
    AddNumber(publish.last_sequence);
  }
  for (const engine::Notice& notice : effects.notices) AddNumber(notice.event.sequence());
  AddNumber(static_cast<int64_t>(effects.replies.size()));
  for (const engine::StopOrder& stop : effects.stops) {
    AddNumber(static_cast<int64_t>(stop.token.number));
    AddNumber(stop.grace.count());
  }
  for (const engine::Assignment& start : effects.starts) {
    AddNumber(static_cast<int64_t>(start.token.number));
    AddText(start.batch_id());
    AddNumber(start.index);
    AddNumber(start.deadline.time_since_epoch().count());
  }
  for (const engine::LoadShard& load : effects.loads) {
    AddText(load.batch_id);
    AddNumber(load.first_index);
  }
  AddNumber(effects.wake.time_since_epoch().count());
}

void Trace::AddNumber(int64_t number) {
  AddText({reinterpret_cast<const char*>(&number), sizeof(number)});
}

void Trace::AddText(std::string_view text) {
  for (const char c : text) {
    hash_ ^= static_cast<uint8_t>(c);
    hash_ *= 0x100000001b3;
  }
}

void Trace::AddWrite(const engine::Write& write) {
  if (const auto* remove = std::get_if<engine::Remove>(&write)) {
    AddText(remove->batch_id);
    AddNumber(remove->keep_request_until.time_since_epoch().count());
    return;
  }
  if (const auto* forget = std::get_if<engine::ForgetRequest>(&write)) {
    AddText(forget->request_id);
    return;
  }
  const auto& append = std::get<engine::Append>(write);
  AddText(append.batch_id);
  AddNumber(static_cast<int64_t>(append.record.index()));
  if (const auto* changed = std::get_if<engine::Changed>(&append.record)) AddRecord(*changed);
}

void Trace::AddRecord(const engine::Changed& changed) {
  for (const engine::JobChange& change : changed.changes) {
    AddNumber(change.index);
    AddNumber(static_cast<int64_t>(change.transition));
  }
  if (changed.segment != nullptr) AddText(changed.segment->bytes());
}

}  // namespace jobrunner::simulation

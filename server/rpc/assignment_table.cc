#include "rpc/assignment_table.h"

#include <utility>

#include "base/check.h"

namespace jobrunner::rpc {

using engine::AttemptToken;

void AssignmentTable::Add(const Entry& entry) {
  const AttemptToken name = entry.id.token();
  if (!(name == entry.token)) renamed_[entry.token] = name;
  JOBRUNNER_CHECK(entries_.emplace(name, entry).second);
}

AssignmentTable::Entry* AssignmentTable::Named(std::string_view id) {
  const auto parsed = AssignmentId::Parse(id);
  if (!parsed) return nullptr;
  const auto found = entries_.find(parsed->token());
  // The token alone names an attempt; the rest of the text must be its own, too.
  if (found == entries_.end() || found->second.id.text() != id) return nullptr;
  return &found->second;
}

AssignmentTable::Entry* AssignmentTable::Of(const AttemptToken& token) {
  const auto found = entries_.find(NameOf(token));
  if (found == entries_.end() || !(found->second.token == token)) return nullptr;
  return &found->second;
}

void AssignmentTable::Remove(const AttemptToken& token) {
  entries_.erase(NameOf(token));
  renamed_.erase(token);
}

void AssignmentTable::RemoveUnanswered(int64_t check) {
  absl::erase_if(entries_, [&](const auto& named) {
    const Entry& entry = named.second;
    const bool let_go = entry.after_check < check && entry.answered < check && !entry.reported;
    if (let_go) renamed_.erase(entry.token);
    return let_go;
  });
}

AttemptToken AssignmentTable::NameOf(const AttemptToken& token) const {
  if (renamed_.empty()) return token;
  const auto found = renamed_.find(token);
  return found == renamed_.end() ? token : found->second;
}

}  // namespace jobrunner::rpc

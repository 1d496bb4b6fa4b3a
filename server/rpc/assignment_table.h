// What a remote worker holds, as far as is known here.

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "engine/attempt.h"
#include "rpc/assignment_id.h"

namespace jobrunner::rpc {

// Ids by the engine's tokens.
using IdsByToken = absl::flat_hash_map<engine::AttemptToken, AssignmentId>;

// Attempts by the ids that the worker knows and by the tokens that the engine knows. The two agree
// but for attempts that the worker holds from an earlier session or server: those keep their ids
// and have new tokens. An entry costs no allocation of its own. Not thread-safe.
class AssignmentTable {
 public:
  struct Entry {
    AssignmentId id;
    engine::AttemptToken token;
    // When it was sent, or taken up again.
    base::SteadyTime since;
    // The last check that was sent before it, that names it, and whose answer names it.
    int64_t after_check = 0;
    int64_t checked = 0;
    int64_t answered = 0;
    // What it writes is wanted.
    bool stream_output = false;
    // The engine has its outcome.
    bool reported = false;
  };

  // Neither its id nor its token is there. Entries move when one is added.
  void Add(const Entry& entry);

  // Null when there is none.
  Entry* Named(std::string_view id);
  Entry* Of(const engine::AttemptToken& token);

  void Remove(const engine::AttemptToken& token);

  // Removes what the worker has let go: what its answer to this check should have named and did
  // not, unless its outcome has come.
  void RemoveUnanswered(int64_t check);

  size_t size() const { return entries_.size(); }

 private:
  // The token that stands in the id of the attempt with this one.
  engine::AttemptToken NameOf(const engine::AttemptToken& token) const;

  // By the tokens in their ids.
  absl::flat_hash_map<engine::AttemptToken, Entry> entries_;
  // From tokens to those in ids, where they differ.
  absl::flat_hash_map<engine::AttemptToken, engine::AttemptToken> renamed_;
};

}  // namespace jobrunner::rpc

#include "engine/proto_time.h"

namespace jobrunner::engine {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

template <typename Time>
Time LaterOf(Time time, std::chrono::nanoseconds duration) {
  if (duration == std::chrono::nanoseconds::max()) return Time::max();
  // A batch may have been accepted long before the steady clock's zero.
  const bool room = time <= Time() || duration <= Time::max() - time;
  return room ? time + duration : Time::max();
}

}  // namespace

google::protobuf::Timestamp ToTimestamp(base::WallTime time) {
  const int64_t ns = time.time_since_epoch().count();
  google::protobuf::Timestamp out;
  // Nanoseconds count forward, also before 1970.
  const int64_t remainder = ((ns % kSecond) + kSecond) % kSecond;
  out.set_seconds((ns - remainder) / kSecond);
  out.set_nanos(static_cast<int32_t>(remainder));
  return out;
}

google::protobuf::Duration ToDuration(std::chrono::nanoseconds duration) {
  google::protobuf::Duration out;
  out.set_seconds(duration.count() / kSecond);
  out.set_nanos(static_cast<int32_t>(duration.count() % kSecond));
  return out;
}

std::chrono::nanoseconds FromDuration(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) + std::chrono::nanoseconds(duration.nanos());
}

base::SteadyTime Later(base::SteadyTime time, std::chrono::nanoseconds duration) {
  return LaterOf(time, duration);
}

base::WallTime Later(base::WallTime time, std::chrono::nanoseconds duration) {
  return LaterOf(time, duration);
}

}  // namespace jobrunner::engine

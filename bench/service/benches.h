// The benches of the whole service, through gRPC: each prints its lines.

#pragma once

namespace jobrunner::bench {

// No-op jobs in batches of 1,000, four in flight, against the bare pipeline.
void BenchBatches();
// One job at a time, against a bare unary call.
void BenchOneJob();
// /bin/true, two at once, against a bare posix_spawn loop.
void BenchCommands();
// From the Cancel call to the end of the command on the stream.
void BenchCancel();
// What a queued job costs: memory, and time at 10,000 and at 1,000,000 queued.
void BenchQueued();

}  // namespace jobrunner::bench

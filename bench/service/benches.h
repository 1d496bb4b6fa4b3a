// The benches of the whole service, through gRPC: each prints its lines.

#pragma once

namespace jobrunner::bench {

// No-op jobs in batches of 1,000, four in flight, against the bare pipeline.
void BenchBatches();
// The same, with all of it durable, against the bare pipeline with RocksDB.
void BenchDurableBatches();
// One job at a time, against a bare unary call.
void BenchOneJob();
// The same, durable, against a bare unary call and a bare fdatasync; and 64 clients against one.
void BenchDurableOneJob();
// /bin/true, two at once, against a bare posix_spawn loop.
void BenchCommands();
// HTTP requests, 256 in flight, against a bare libcurl-multi loop.
void BenchHttp();
// No-op jobs through two remote workers, durable.
void BenchRemoteJobs();
// One job at a time through a remote worker.
void BenchRemoteOneJob();
// A remote worker that is killed: when its attempts have run elsewhere.
void BenchLostWorker();
// 1,000 remote workers without work: memory, threads, and what they cost.
void BenchIdleWorkers();
// From the Cancel call to the end of the command on the stream.
void BenchCancel();
// What a queued job costs: memory, and time at 10,000 and at 1,000,000 queued.
void BenchQueued();
// 10,000,000 queued jobs in a durable store: memory, and the rate of submits at the end.
void BenchDurableQueued();
// How long a start takes with 1,000,000 unfinished jobs in 10 batches.
void BenchStart();
// 1,000 readers of one live batch: how often an event is serialized, what one more reader costs,
// and what a slow one costs the others.
void BenchReaders();
// 10,000 readers that wait: memory, and what they cost a unary call.
void BenchIdleReaders();

}  // namespace jobrunner::bench

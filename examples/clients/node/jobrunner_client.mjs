// A jobrunner client, in one file to copy. Needs @grpc/grpc-js, @grpc/proto-loader and proto/.

import {randomUUID} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

// The server is away, or full: the same call may succeed later.
const PASSING = [grpc.status.UNAVAILABLE, grpc.status.RESOURCE_EXHAUSTED];
// Else gRPC waits longer and longer before it connects again.
const OPTIONS = {'grpc.max_reconnect_backoff_ms': 1000};

export class Client {
  #service;
  #patienceMs;

  // `protos`: the directory that has jobrunner/v1.
  constructor({address, protos, patienceMs = 60_000}) {
    const definition = protoLoader.loadSync('jobrunner/v1/job_service.proto', {
      includeDirs: [protos], longs: Number, enums: String, defaults: true, oneofs: true});
    const {JobService} = grpc.loadPackageDefinition(definition).jobrunner.v1;
    this.#service = new JobService(address, grpc.credentials.createInsecure(), OPTIONS);
    this.#patienceMs = patienceMs;
  }

  close() {
    this.#service.close();
  }

  // Submits a BatchSpec; resolves with its id, once it is stored. The requestId makes it safe to ask
  // again: the same id is the same batch.
  async submit(batch) {
    return (await this.#call('SubmitBatch', {requestId: randomUUID(), batch})).batch.id;
  }

  // Each event after that one, once and in order, live, until the batch has finished.
  async *events(batchId, afterSequence = 0) {
    let givesUp = Date.now() + this.#patienceMs;
    for (;;) {
      const call = this.#service.StreamResults({batchId, afterSequence, follow: true});
      try {
        for await (const {events} of call) {
          for (const event of events) {
            afterSequence = event.sequence;
            yield event;
          }
          givesUp = Date.now() + this.#patienceMs;
        }
        return;
      } catch (error) {
        if (!PASSING.includes(error.code) || Date.now() > givesUp) throw error;
        await sleep(200);
      } finally {
        call.cancel();
      }
    }
  }

  // Resolves with the results by their jobs' indexes, when the batch has finished.
  async wait(batchId) {
    const results = new Map();
    for await (const {kind, jobIndex, result} of this.events(batchId)) {
      if (kind === 'result') results.set(jobIndex, result);
    }
    return results;
  }

  // Running jobs are asked to stop, and forced to after 5 s.
  async cancel(batchId, reason = '') {
    await this.#call('Cancel', {batchId, reason});
  }

  async #call(method, request) {
    const givesUp = Date.now() + this.#patienceMs;
    for (;;) {
      try {
        return await new Promise((resolve, reject) => {
          this.#service[method](request, {deadline: givesUp},
            (error, response) => (error ? reject(error) : resolve(response)));
        });
      } catch (error) {
        if (!PASSING.includes(error.code) || Date.now() > givesUp) throw error;
        await sleep(200);
      }
    }
  }
}

#!/usr/bin/env node
// A worker with handlers to try things out: example.mjs ADDRESS NAME SLOTS

import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

import {Failure, Worker} from './jobrunner_worker.mjs';

const handlers = {
  // The payload, its ASCII letters in upper case.
  upper(attempt) {
    return attempt.payload.map((byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte));
  },

  // Runs for so many seconds, and heeds its stop: sleep() throws when the signal is aborted.
  async slow(attempt) {
    await attempt.progress(0, 'begun');
    await sleep(Number(attempt.payload) * 1000, null, {signal: attempt.signal});
    return `done by attempt ${attempt.assignment.attempt}`;
  },

  // Runs for so many seconds, whatever it is told.
  async stubborn(attempt) {
    await attempt.progress(0, 'begun');
    await sleep(Number(attempt.payload) * 1000);
    return `done by attempt ${attempt.assignment.attempt}`;
  },

  // Fails as the payload says: {message, code, final, critical}, or {raise}.
  failing(attempt) {
    const how = JSON.parse(attempt.payload);
    if (how.raise) throw new TypeError(how.raise);
    throw new Failure(how.message, how);
  },

  // Tells its progress and writes on both outputs, so many times.
  async steps(attempt) {
    const count = Number(attempt.payload);
    for (let step = 1; step <= count; ++step) {
      await attempt.progress(step / count, `step ${step}`);
      await attempt.output(`out ${step}\n`, `err ${step}\n`);
    }
  },

  // So many bytes.
  zeros(attempt) {
    return Buffer.alloc(Number(attempt.payload));
  },

  // What a handler knows of its job, as JSON.
  about(attempt) {
    const {batchId, jobIndex, jobKey, attempt: number, handler} = attempt.assignment;
    const left = attempt.timeLeft();
    return JSON.stringify({
      batch_id: batchId, job_index: jobIndex, job_key: jobKey, attempt: number,
      content_type: handler.contentType, seconds_left: left === Infinity ? null : left / 1000});
  },
};

const [address, name, slots] = process.argv.slice(2);
const protos = fileURLToPath(new URL('../../../proto', import.meta.url));
const worker = new Worker({address, protos, name, slots: Number(slots), handlers});
await worker.run();
process.exit(0);

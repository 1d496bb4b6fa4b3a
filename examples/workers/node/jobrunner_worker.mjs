// A jobrunner worker, in one file to copy. Needs @grpc/grpc-js, @grpc/proto-loader and proto/.

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const MIB = 1 << 20;
const OPTIONS = {'grpc.use_local_subchannel_pool': 1}; // Else gRPC's own backoff outlives a client.
const FATAL = [grpc.status.INVALID_ARGUMENT, grpc.status.UNIMPLEMENTED,
  grpc.status.UNAUTHENTICATED, grpc.status.PERMISSION_DENIED]; // Trying again is of no use.

// How an attempt failed, thrown by its handler, with a google.rpc.Code. `final`: do not try again;
// `critical`: cancel the batch, too. Any other error fails the attempt with UNKNOWN.
export class Failure extends Error {
  constructor(message, {code = 2, final = false, critical = false} = {}) {
    super(message);
    this.said = {message: message.slice(0, 4096), code, final, critical};
  }
}

const milliseconds = ({seconds, nanos}) => seconds * 1e3 + nanos / 1e6;

// What a handler is given.
export class Attempt {
  #say;
  #ends = Infinity;

  constructor(say, assignment) {
    this.#say = say;
    this.assignment = assignment; // batchId, jobIndex, jobKey, attempt, …
    this.id = assignment.assignmentId;
    this.payload = assignment.handler.payload;
    if (assignment.timeLeft) this.#ends = performance.now() + milliseconds(assignment.timeLeft);
    const controller = new AbortController();
    this.signal = controller.signal; // Aborted when the handler is to end soon, in whatever way.
    this.stop = () => controller.abort();
  }

  // Milliseconds until the attempt is stopped; Infinity when nothing bounds it.
  timeLeft() {
    return Math.max(0, this.#ends - performance.now());
  }

  // Lost while there is no connection, as output is: only outcomes are kept.
  progress(fraction, message = '') {
    return this.#say({progress: {assignmentId: this.id, fraction, message}});
  }

  // Shown if the job asked for it. Wait for it, so that a slow connection slows the handler down.
  async output(output = '', errorOutput = '') {
    const bytes = {output: Buffer.from(output), errorOutput: Buffer.from(errorOutput)};
    if (this.assignment.streamOutput) await this.#say({output: {assignmentId: this.id, ...bytes}});
  }
}

export class Worker {
  #connect;
  #hello;
  #handlers;
  #held = new Map(); // attempts by id, until their outcome is acknowledged
  #unsent = []; // outcomes to be sent on this stream
  #call = null; // from welcome on
  #writes = new Set(); // resolve functions of the messages that are being written
  #sessionId = '';
  #leaseMs = 10_000;
  #leaving = false;
  #reporting = false;

  // `protos`: the directory that has jobrunner/v1. `handlers`: functions by name; each gets an
  // Attempt, and returns bytes, text, nothing, or a promise of these.
  constructor({address, protos, name, slots = 4, labels = {}, handlers}) {
    const definition = protoLoader.loadSync('jobrunner/v1/worker_service.proto', {
      includeDirs: [protos], longs: Number, defaults: true, oneofs: true});
    const {WorkerService} = grpc.loadPackageDefinition(definition).jobrunner.v1;
    this.#connect = () => new WorkerService(address, grpc.credentials.createInsecure(), OPTIONS);
    this.#handlers = handlers;
    this.#hello = {name, slots, labels, handlers: Object.keys(handlers), sdk: 'node 1.0'};
  }

  // Until SIGTERM or Ctrl-C; what was taken is finished. A second signal ends the process at once.
  async run() {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => this.#leave());
    let backoff = 0;
    while (!this.#leaving || this.#held.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, backoff * (0.5 + Math.random() / 2)));
      const {code, details} = await this.#session();
      if (code !== 0) console.warn('the stream broke: %s, %d held', details, this.#held.size);
      if (FATAL.includes(code)) throw new Error(details);
      if (code === grpc.status.ABORTED) this.#keep('', new Set()); // The session is over.
      backoff = this.#call ? 50 : Math.min(50 + 2 * backoff, 1000, this.#leaseMs / 5);
      this.#call = null;
    }
  }

  // Resolves with the status that the stream has ended with.
  async #session() {
    const client = this.#connect();
    const call = client.Work();
    // The server speaks each third of a lease: after two in silence there is time to come back.
    let silence;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => call.cancel(), this.#leaseMs * 2 / 3);
    };
    listen();
    call.on('error', () => {}); // It has a status as well.
    call.on('data', (message) => listen(this.#hear(call, message)));
    call.write({hello: {
      ...this.#hello, sessionId: this.#sessionId, assignmentIds: [...this.#held.keys()]}});
    const status = await new Promise((resolve) => call.on('status', resolve));
    clearTimeout(silence);
    client.close();
    for (const resolve of this.#writes) this.#writes.delete(resolve) && resolve();
    return status;
  }

  #hear(call, {kind, welcome, assignments, stop, leaseCheck, acknowledged}) {
    if (kind === 'welcome') {
      this.#welcome(call, welcome);
    } else if (kind === 'assignments' && !this.#leaving) {
      for (const assignment of assignments.assignments) this.#run(assignment);
    } else if (kind === 'stop') {
      for (const id of stop.assignmentIds) this.#held.get(id)?.stop();
    } else if (kind === 'leaseCheck') {
      const named = new Set(leaseCheck.assignmentIds);
      for (const [id, attempt] of this.#held) if (!named.has(id)) attempt.stop();
      this.#say({leaseAnswer: {
        number: leaseCheck.number, assignmentIds: [...this.#held.keys()]}});
    } else if (kind === 'acknowledged') {
      for (const id of acknowledged.refusedIds) console.warn('%s: its outcome was refused', id);
      for (const id of acknowledged.assignmentIds) this.#held.delete(id);
      if (this.#leaving && this.#held.size === 0) call.end();
    }
  }

  #welcome(call, {sessionId, lease, assignmentIds}) {
    this.#call = call;
    this.#leaseMs = milliseconds(lease);
    this.#keep(sessionId, new Set(assignmentIds));
    this.#unsent = [...this.#held.values()].flatMap(({outcome}) => outcome ?? []);
    this.#report();
    if (this.#leaving) this.#leave();
  }

  #keep(sessionId, ids) {
    this.#sessionId = sessionId;
    for (const [id, attempt] of this.#held) {
      if (ids.has(id) || !this.#held.delete(id)) continue;
      console.warn('%s: no longer ours', id);
      attempt.stop();
    }
  }

  async #run(assignment) {
    const attempt = new Attempt((message) => this.#say(message), assignment);
    this.#held.set(attempt.id, attempt);
    const outcome = {assignmentId: attempt.id};
    try {
      const output = Buffer.from(await this.#handlers[assignment.handler.name](attempt) ?? '');
      if (output.length > MIB) throw new Failure('more than 1 MiB', {final: true});
      outcome.output = output;
    } catch (error) {
      if (!(error instanceof Failure || attempt.signal.aborted)) console.warn(error);
      outcome.failure = error.said ?? {message: String(error).slice(0, 4096)};
    }
    if (this.#held.get(attempt.id) !== attempt) return;
    attempt.outcome = outcome;
    this.#unsent.push(outcome);
    if (!this.#reporting) this.#report(); // Who reports takes this one along.
  }

  async #report() {
    this.#reporting = true;
    while (this.#unsent.length > 0 && this.#call) {
      const outcomes = [];
      // One more fits: a message may have 4 MiB.
      for (let size = 0; this.#unsent.length > 0 && size < 2 * MIB;) {
        outcomes.push(this.#unsent.shift());
        size += 1024 + (outcomes.at(-1).output?.length ?? 0);
      }
      await this.#say({outcomes: {outcomes}});
    }
    this.#reporting = false;
  }

  // Resolves when it is on its way, or the stream has ended.
  #say(message) {
    return new Promise((resolve) => {
      if (!this.#call) return resolve();
      this.#writes.add(resolve);
      this.#call.write(message, () => this.#writes.delete(resolve) && resolve());
    });
  }

  #leave() {
    this.#leaving = true;
    this.#say({leave: {held: {assignmentIds: [...this.#held.keys()]}}});
    if (this.#held.size === 0) this.#call?.end();
  }
}

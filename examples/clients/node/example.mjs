#!/usr/bin/env node
// Submits batches, follows, waits for and cancels them: example.mjs ADDRESS

import {fileURLToPath} from 'node:url';

import {Client} from './jobrunner_client.mjs';

const protos = fileURLToPath(new URL('../../../proto', import.meta.url));
const client = new Client({address: process.argv[2], protos});

const naps = [0, 1, 2, 3, 4].map((i) => (
  {key: `nap ${i}`, handler: {name: 'sleep', payload: Buffer.from('100')}}));
let batchId = await client.submit({name: 'naps', jobs: naps, maxParallelism: 1});
for await (const {sequence, kind, jobKey, result, batchFinished} of client.events(batchId)) {
  if (kind === 'result') console.log(sequence, jobKey, result.state);
  if (kind === 'batchFinished') console.log(sequence, batchFinished.state);
}

const echo = {handler: {name: 'echo', payload: Buffer.from('hello')}};
batchId = await client.submit({jobs: [echo]});
console.log((await client.wait(batchId)).get(0).output.toString());

batchId = await client.submit({jobs: [{handler: {name: 'sleep', payload: Buffer.from('600000')}}]});
await client.cancel(batchId, 'enough seen');
console.log((await client.wait(batchId)).get(0).error.message);
client.close();

// A worker process for tests and benchmarks. Argument: its configuration as JSON. Prints a line for each thing that happens.
import { pino } from 'pino';
import type { NodeType } from '../../kernel/dispatch/types.ts';
import type { NatsConfig } from './config.ts';
import { startWorker } from './worker.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

const TYPES: Readonly<Record<string, NodeType['execute']>> = {
  'test.echo': ({ inputs }) => ({ kind: 'completed', outputs: inputs }),
  /** Waits `config.ms`. */
  'test.slow': async ({ invocationId, config }) => {
    say(`begun ${invocationId}`);
    await new Promise((resolve) => setTimeout(resolve, Number(config.ms)));
    return { kind: 'completed', outputs: { pid: process.pid } };
  },
  /** Takes its worker down. */
  'test.deadly': ({ invocationId }) => {
    say(`begun ${invocationId}`);
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined);
  },
};

const config = JSON.parse(process.argv[2] ?? '{}') as NatsConfig;
const worker = await startWorker({
  ...config,
  logger: pino({ level: 'silent' }),
  nodeTypes: (typeId) => {
    const execute = TYPES[typeId];
    return execute && { typeId, description: 'Of a test.', execute };
  },
});
process.once('SIGTERM', () => {
  say('stopping');
  void worker.stop(10_000);
});
say('ready');
const refused = await worker.closed;
if (refused) throw refused;

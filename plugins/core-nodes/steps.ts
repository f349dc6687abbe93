/** Single steps: start, end, noop, identity, delay, fail. */
import type { NodeType } from '../../kernel/dispatch/types.ts';
import { completed, invalid, passThrough } from './outcomes.ts';

/** Longest delay: 366 days in ms. */
const MAX_DELAY_MS = 366 * 24 * 3_600_000;

export const start: NodeType = {
  typeId: 'core.start',
  description: 'Where the run begins; passes its inputs on.',
  inline: true,
  execute: ({ inputs }) => completed(passThrough(inputs)),
};

export const end: NodeType = {
  typeId: 'core.end',
  description: 'Its inputs become the outputs of the run.',
  inline: true,
  execute: ({ inputs }) => completed(passThrough(inputs)),
};

export const noop: NodeType = {
  typeId: 'core.noop',
  description: 'Completes at once, without output.',
  inline: true,
  execute: () => completed({}),
};

export const identity: NodeType = {
  typeId: 'core.identity',
  description: 'Outputs equal inputs, port by port.',
  inline: true,
  execute: ({ inputs }) => completed(passThrough(inputs)),
};

/** A durable timer: measured from the start event, so that a restart continues the wait instead of repeating it. */
export const delay: NodeType = {
  typeId: 'core.delay',
  description: 'Waits: input `delayMs`, or `delayMs` or `ms` of the config, in milliseconds.',
  inline: true,
  configSchema: {
    type: 'object',
    properties: {
      delayMs: { type: 'number', minimum: 0, maximum: MAX_DELAY_MS },
      ms: { type: 'number', minimum: 0, maximum: MAX_DELAY_MS },
    },
  },
  execute: ({ inputs, config, startedAt, now }) => {
    const ms = inputs.delayMs ?? config.delayMs ?? config.ms;
    if (typeof ms !== 'number' || !(ms >= 0 && ms <= MAX_DELAY_MS))
      return invalid(`delayMs must be a number of milliseconds between 0 and ${MAX_DELAY_MS}.`);
    const until = startedAt + ms;
    return now >= until ? completed(passThrough(inputs)) : { kind: 'sleeping', until };
  },
};

export const fail: NodeType = {
  typeId: 'core.fail',
  description:
    'Fails on purpose. Config: `code`, `message`, `retryable`, `times` (fail only the first so many attempts).',
  inline: true,
  configSchema: {
    type: 'object',
    properties: {
      code: { type: 'string', minLength: 1 },
      message: { type: 'string', minLength: 1 },
      retryable: { type: 'boolean' },
      times: { type: 'integer', minimum: 0 },
    },
  },
  execute: ({ config, attempt, inputs }) => {
    if (typeof config.times === 'number' && attempt >= config.times) return completed(passThrough(inputs));
    return {
      kind: 'failed',
      error: {
        code: typeof config.code === 'string' ? config.code : 'conformance_test_failure',
        message: typeof config.message === 'string' ? config.message : 'Intentional conformance failure',
      },
      retryable: config.retryable === true,
    };
  },
};

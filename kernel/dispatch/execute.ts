/** Runs one invocation with the node type it names: shared by the engine's inline path, the local dispatcher and remote workers. */
import type { Logger } from 'pino';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import type { Invocation, NodeContext, NodeType, Outcome } from './types.ts';

/** Executes an inline node type, synchronously. A node that throws is a failed outcome. */
export function executeInline(type: NodeType, invocation: Invocation, logger: Logger): Outcome {
  try {
    const outcome = type.execute(invocation, contextOf(invocation, NEVER_ABORTED, logger));
    if (outcome instanceof Promise)
      throw new Error(`node type "${type.typeId}" is declared inline but answers later`);
    return checked(outcome);
  } catch (error) {
    return failure(error);
  }
}

/** Executes any node type until its deadline or abort. Resolves always; a late result of a node that ignores its signal is dropped. */
export async function execute(
  type: NodeType | undefined,
  invocation: Invocation,
  signal: AbortSignal,
  logger: Logger,
): Promise<Outcome> {
  if (!type)
    return failed('unsupported_node_type', `This process has no node type "${invocation.typeId}".`, false);
  const ended = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const cutOff = new Promise<Outcome>((resolve) => {
    const stop = (outcome: Outcome, reason: unknown) => {
      resolve(outcome);
      ended.abort(reason);
    };
    const onAbort = () => stop(failed('node_aborted', 'The node was stopped.', false), signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { signal: ended.signal });
    if (invocation.deadline === undefined) return;
    const timeout = failed(
      'node_timeout',
      `The node took longer than ${invocation.deadline - invocation.startedAt} ms.`,
      true,
    );
    timers.push(
      setTimeout(() => stop(timeout, new Error('deadline')), Math.max(0, invocation.deadline - Date.now())),
    );
  });
  try {
    const work = async () =>
      checked(await type.execute(invocation, contextOf(invocation, ended.signal, logger)));
    return await Promise.race([work(), cutOff]);
  } catch (error) {
    return failure(error);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    ended.abort(new Error('the node has ended'));
  }
}

const NEVER_ABORTED = new AbortController().signal;
const OUTCOME_KINDS: ReadonlySet<string> = new Set([
  'completed',
  'failed',
  'sleeping',
  'capBreached',
] satisfies Outcome['kind'][]);

function contextOf(invocation: Invocation, signal: AbortSignal, logger: Logger): NodeContext {
  return {
    signal,
    log: (level, message, fields) =>
      logger[level](
        {
          ...fields,
          runId: invocation.runId,
          nodeId: invocation.nodeId,
          invocationId: invocation.invocationId,
        },
        message,
      ),
  };
}

/** Refuses what is not an outcome or does not survive JSON, with an error that names the place. */
function checked(outcome: Outcome): Outcome {
  if (typeof outcome !== 'object' || outcome === null || !OUTCOME_KINDS.has(outcome.kind))
    throw new Error('the node returned no outcome');
  if (outcome.kind === 'completed') {
    assertJson(outcome.outputs, 'outputs');
    if (outcome.variables !== undefined) assertJson(outcome.variables, 'variables');
  }
  if (outcome.kind === 'sleeping' && !Number.isFinite(outcome.until))
    throw new Error('the node sleeps until no time');
  return outcome;
}

function assertJson(value: unknown, place: string): asserts value is JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (Number.isFinite(value)) return;
      break;
    case 'object': {
      if (value === null) return;
      if (Array.isArray(value)) {
        for (const [index, member] of value.entries()) assertJson(member, `${place}[${index}]`);
        return;
      }
      const prototype = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && prototype !== null) break;
      for (const [key, member] of Object.entries(value)) assertJson(member, `${place}.${key}`);
      return;
    }
  }
  throw new Error(`${place} is not a JSON value`);
}

function failed(code: string, message: string, retryable: boolean, details?: JsonObject): Outcome {
  return {
    kind: 'failed',
    error: { code, message, ...(details === undefined ? {} : { details }) },
    retryable,
  };
}

/** What a node threw: its own `code`, `details` and `retryable` if it has them. The message is the author's and shown to readers. */
function failure(error: unknown): Outcome {
  const { code, retryable, details } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  const message =
    error instanceof Error && error.message !== '' ? error.message : String(error) || 'the node failed';
  const isDetails = typeof details === 'object' && details !== null && !Array.isArray(details);
  return failed(
    typeof code === 'string' && code !== '' ? code : 'node_error',
    message,
    retryable === true,
    isDetails ? (details as JsonObject) : undefined,
  );
}

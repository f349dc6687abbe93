/** Runs one invocation with the node type it names: shared by the engine's inline path, the local dispatcher and remote workers. */
import type { Logger } from 'pino';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import type { Invocation, NodeContext, NodeType, Outcome } from './types.ts';

/** Executes an inline node type, synchronously. A node that throws is a failed outcome. */
export function executeInline(type: NodeType, invocation: Invocation, logger: Logger): Outcome {
  try {
    const outcome = type.execute(invocation, contextOf(invocation, new NodeSignal(), logger));
    if (outcome instanceof Promise)
      throw new Error(`node type "${type.typeId}" is declared inline but answers later`);
    return checkOutcome(outcome);
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
    return failedOutcome('unsupported_node_type', `This process has no node type "${invocation.typeId}".`);
  if (signal.aborted) return aborted();
  const remaining = invocation.deadline === undefined ? undefined : invocation.deadline - Date.now();
  if (remaining !== undefined && remaining <= 0) return timedOut(invocation);
  const life = new NodeSignal();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const onAbort = () => resolve(aborted());
  signal.addEventListener('abort', onAbort);
  const timer =
    remaining !== undefined && remaining <= LONGEST_TIMER_MS
      ? setTimeout(() => resolve(timedOut(invocation)), remaining)
      : undefined;
  void outcomeOf(type, invocation, contextOf(invocation, life, logger)).then(resolve);
  const outcome = await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', onAbort);
  life.end(signal.aborted ? signal.reason : ENDED);
  return outcome;
}

async function outcomeOf(type: NodeType, invocation: Invocation, context: NodeContext): Promise<Outcome> {
  try {
    return checkOutcome(await type.execute(invocation, context));
  } catch (error) {
    return failure(error);
  }
}

/** The outcome of an invocation whose deadline has passed. */
export function timedOut({ deadline = 0, startedAt }: Invocation): Outcome {
  return failedOutcome('node_timeout', `The node took longer than ${deadline - startedAt} ms.`, true);
}

/** A failure that is not the node's own. */
export function failedOutcome(
  code: string,
  message: string,
  retryable = false,
  details?: JsonObject,
): Outcome {
  return {
    kind: 'failed',
    error: { code, message, ...(details === undefined ? {} : { details }) },
    retryable,
  };
}

/** Refuses what is not an outcome or does not survive JSON, with an error that names the place. */
export function checkOutcome(outcome: unknown): Outcome {
  if (typeof outcome !== 'object' || outcome === null) throw new Error('the node returned no outcome');
  const fields = outcome as Record<string, unknown>;
  switch (fields.kind as Outcome['kind']) {
    case 'completed':
      assertObject(fields.outputs, 'outputs');
      if (fields.variables !== undefined) assertObject(fields.variables, 'variables');
      break;
    case 'failed':
      assertError(fields.error);
      if (typeof fields.retryable !== 'boolean') throw new Error('retryable is not true or false');
      break;
    case 'sleeping':
      assertFinite(fields.until, 'until');
      break;
    case 'capBreached':
      assertText(fields.cap, 'cap');
      assertFinite(fields.limit, 'limit');
      assertFinite(fields.observed, 'observed');
      break;
    default:
      throw new Error('the node returned no outcome');
  }
  return outcome as Outcome;
}

/** Why signals of nodes abort that outlive their node. Made once: an error for each node would cost more than many nodes do. */
const ENDED = new Error('the node has ended');

/** The signal a node sees. Made when it is looked at, since most nodes never do. */
class NodeSignal {
  #controller: AbortController | undefined;
  #ended: { readonly reason: unknown } | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended) this.#controller.abort(this.#ended.reason);
    return this.#controller.signal;
  }

  end(reason: unknown): void {
    this.#ended = { reason };
    this.#controller?.abort(reason);
  }
}

/** Node timers count to 2^31 - 1 ms; a node cannot be waited for that long in memory. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function contextOf(invocation: Invocation, life: NodeSignal, logger: Logger): NodeContext {
  return {
    get signal() {
      return life.signal;
    },
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

const aborted = () => failedOutcome('node_aborted', 'The node was stopped.');

function assertError(error: unknown): void {
  assertObject(error, 'error');
  assertText(error.code, 'error.code');
  assertText(error.message, 'error.message');
  if (error.details !== undefined) assertObject(error.details, 'error.details');
}

function assertText(value: unknown, place: string): void {
  if (typeof value !== 'string') throw new Error(`${place} is not text`);
}

function assertFinite(value: unknown, place: string): void {
  if (!Number.isFinite(value)) throw new Error(`${place} is not a number`);
}

function assertObject(value: unknown, place: string): asserts value is JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${place} is not an object`);
  assertJson(value, place);
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

/** What a node threw: its own `code`, `details` and `retryable` if it has them. The message is the author's and shown to readers. */
function failure(error: unknown): Outcome {
  const { code, retryable, details } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  const message = error instanceof Error ? error.message : typeof error === 'string' ? error : '';
  return failedOutcome(
    typeof code === 'string' && code !== '' ? code : 'node_error',
    message || 'The node failed without saying why.',
    retryable === true,
    isJsonObject(details) ? details : undefined,
  );
}

function isJsonObject(value: unknown): value is JsonObject {
  try {
    assertObject(value, 'details');
    return true;
  } catch {
    return false; // what is not JSON cannot be shown; the message still is
  }
}

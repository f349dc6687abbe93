/** Masking of values marked sensitive (run events §4.7): what readers see; the engine keeps the real values beside the log. */
import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import type { EventIntent } from './intents.ts';
import type { Plan } from './plan.ts';

/** The payload as readers may see it; the same object when nothing in it is sensitive. */
export function maskPayload(plan: Plan, event: EventIntent): JsonObject {
  const { payload } = event;
  switch (event.type) {
    case 'run.started':
      return maskMember(plan, payload, 'inputs', plan.sensitiveVariables);
    case 'node.completed':
      return maskMember(plan, payload, 'outputs', sensitivePorts(plan, event.nodeId));
    case 'run.completed':
      return maskMember(plan, payload, 'outputs', runPorts(plan));
    case 'variable.changed': {
      if (typeof payload.name !== 'string' || !plan.sensitiveVariables.has(payload.name)) return payload;
      return maskKeys(plan.maskingMode, payload, new Set(['previous', 'next']));
    }
    default:
      return payload;
  }
}

export function maskVariables(plan: Plan, variables: JsonObject): JsonObject {
  return maskKeys(plan.maskingMode, variables, plan.sensitiveVariables);
}

export function maskOutputs(plan: Plan, nodeId: string, outputs: JsonObject): JsonObject {
  return maskKeys(plan.maskingMode, outputs, sensitivePorts(plan, nodeId));
}

export function maskRunOutputs(plan: Plan, outputs: JsonObject): JsonObject {
  return maskKeys(plan.maskingMode, outputs, runPorts(plan));
}

const NONE: ReadonlySet<string> = new Set();

function sensitivePorts(plan: Plan, nodeId: string | undefined): ReadonlySet<string> {
  const ports = plan.nodes.get(nodeId ?? '')?.definition.outputSensitivity;
  return ports ? new Set(Object.keys(ports).filter((port) => ports[port])) : NONE;
}

/** Outputs of a run are the ports of its end nodes. */
function runPorts(plan: Plan): ReadonlySet<string> {
  const ends = plan.definition.nodes.filter((node) => node.typeId === 'core.end' && node.outputSensitivity);
  return ends.length === 0 ? NONE : new Set(ends.flatMap((node) => [...sensitivePorts(plan, node.id)]));
}

function maskMember(plan: Plan, payload: JsonObject, member: string, keys: ReadonlySet<string>): JsonObject {
  const value = payload[member];
  if (keys.size === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return payload;
  const masked = maskKeys(plan.maskingMode, value, keys);
  return masked === value ? payload : { ...payload, [member]: masked };
}

function maskKeys(mode: Plan['maskingMode'], object: JsonObject, keys: ReadonlySet<string>): JsonObject {
  if (mode === 'passthrough' || keys.size === 0) return object;
  const present = Object.keys(object).filter((key) => keys.has(key));
  if (present.length === 0) return object;
  const masked: JsonObject = { ...object };
  for (const key of present) {
    if (mode === 'omit') delete masked[key];
    else masked[key] = mode === 'hash' ? hash(object[key] ?? null) : '[REDACTED]';
  }
  return masked;
}

function hash(value: JsonValue): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(value)).digest('hex')}`;
}

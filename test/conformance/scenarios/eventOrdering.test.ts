/** The log itself: numbering, envelopes, and the one event that ends it. */
import { expect } from 'vitest';
import { isRunEventType } from '../../../schemas/event-types.ts';
import { checkEvent } from '../../../schemas/validators.ts';
import { expectContiguous, expectSingleEnd } from '../checks.ts';
import type { FixtureId } from '../fixtures.ts';
import { notClaimed, requirement, shared } from '../harness.ts';
import { advertisedFixtures, fixture, host } from '../host.ts';
import {
  eventLog,
  type FinishedRun,
  ofType,
  runIdOf,
  runPath,
  runToEnd,
  TERMINAL_STATUSES,
} from '../runs.ts';

/** Prefixes under which no host may invent types. */
const RESERVED = /^(run|node|approval|clarification|cap|channel|replay)\./;
const ENVELOPE = [
  'eventId',
  'runId',
  'type',
  'payload',
  'timestamp',
  'sequence',
  'nodeId',
  'schemaVersion',
  'engineVersion',
  'causationId',
];

/** One finished run of each kind the host offers. */
const runs = shared(async (): Promise<FinishedRun[]> => {
  const wanted: FixtureId[] = [
    'conformance-noop',
    'conformance-multi-node',
    'conformance-failure',
    'conformance-identity',
  ];
  const offered = await advertisedFixtures();
  const available = wanted.filter((id) => offered.includes(id));
  if (available.length === 0) notClaimed(`none of ${wanted.join(', ')} is advertised`);
  return Promise.all(available.map((id) => runToEnd(id, { inputs: { payload: { value: 1 } } })));
});
const allEvents = async () => (await runs()).flatMap(({ events }) => events);

requirement('event.sequence', 'every log is numbered 0, 1, 2, …', async () => {
  for (const { events } of await runs()) expectContiguous(events);
});

requirement('event.envelope', 'no event has an unknown envelope key', async () => {
  for (const event of await allEvents()) {
    expect(
      Object.keys(event).filter((key) => !ENVELOPE.includes(key)),
      event.type,
    ).toEqual([]);
  }
});

requirement(
  'event.envelope',
  'every event of the catalogue fits the schema of its envelope and payload',
  async () => {
    for (const event of await allEvents()) {
      if (isRunEventType(event.type))
        expect(checkEvent(event), `${event.type} #${event.sequence}`).toBeNull();
    }
  },
);

requirement('event.vocabulary', 'no invented type under a reserved prefix', async () => {
  const unknown = (await allEvents()).map(({ type }) => type).filter((type) => !isRunEventType(type));
  expect(unknown.filter((type) => RESERVED.test(type))).toEqual([]);
});

requirement('event.unique-id', 'no eventId occurs twice, in one run or across runs', async () => {
  const ids = (await allEvents()).map(({ eventId }) => eventId);
  expect(ids.length).toBeGreaterThan(0);
  expect(new Set(ids).size).toBe(ids.length);
});

requirement('event.own-run', 'runId is that of the log', async () => {
  for (const { runId, events } of await runs()) {
    expect(new Set(events.map((event) => event.runId))).toEqual(new Set([runId]));
  }
});

requirement('event.node-id', 'node events carry one node id in both places', async () => {
  const nodeEvents = (await allEvents()).filter(({ type }) => type.startsWith('node.'));
  expect(nodeEvents.length).toBeGreaterThan(0);
  for (const { nodeId, payload, type } of nodeEvents) {
    expect(nodeId, type).toBeTypeOf('string');
    expect(payload.nodeId, type).toBe(nodeId);
  }
});

requirement('event.schema-version', 'schemaVersion is a whole number', async () => {
  for (const { schemaVersion, type } of await allEvents()) {
    expect(Number.isInteger(schemaVersion), `${type}: ${schemaVersion}`).toBe(true);
  }
});

requirement('event.started-first', 'run.started is event 0, once, with the workflowId', async () => {
  for (const { events, snapshot } of await runs()) {
    expect(ofType(events, 'run.started').map(({ sequence }) => sequence)).toEqual([0]);
    expect(events[0]?.payload.workflowId).toBe(snapshot.workflowId);
  }
});

requirement('event.terminal-last', 'one terminal event, last, matching the status', async () => {
  for (const { events, snapshot } of await runs()) expectSingleEnd(events, `run.${snapshot.status}`);
});

requirement('event.repeatable', 'reading a finished log three times gives the same list', async () => {
  for (const { runId, events } of await runs()) {
    for (let i = 0; i < 3; i++) expect(await eventLog(runId)).toEqual(events);
  }
});

requirement(
  'event.terminal-durable',
  'as soon as a run is reported as ended, its log is complete',
  async () => {
    const workflowId = await fixture('conformance-multi-node');
    for (let i = 0; i < 10; i++) {
      const runId = runIdOf(await host.post('/v1/runs', { workflowId }));
      let status: unknown;
      // No pause between the reads: the moment in question is short.
      while (!TERMINAL_STATUSES.includes(String(status)))
        status = (await host.get(runPath(runId))).object.status;
      expectSingleEnd(await eventLog(runId), `run.${status}`);
    }
  },
);

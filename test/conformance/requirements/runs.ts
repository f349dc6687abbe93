/** Creating runs and what becomes of them: completion, failure, caps, capabilities, run options. */
import type { Requirement } from './types.ts';

export const RUN_REQUIREMENTS = [
  {
    id: 'run.create.answer',
    level: 'MUST',
    text: 'An accepted run is answered with 201, a runId, a status of the allowed four, and an eventsUrl.',
    source: 'HTTP §5.1',
  },
  {
    id: 'run.create.absolute-urls',
    level: 'SHOULD',
    text: 'eventsUrl and statusUrl are absolute and lead to this run.',
    source: 'HTTP §5.1',
  },
  {
    id: 'run.create.readable',
    level: 'SHOULD',
    text: 'A run can be read as soon as it is acknowledged.',
    source: 'HTTP §5.2',
  },
  {
    id: 'run.create.extra-inputs',
    level: 'MUST',
    text: 'Inputs the workflow does not declare are tolerated.',
    source: 'run events §1.6',
  },
  {
    id: 'run.create.input-type',
    level: 'MUST',
    text: 'An input of another type than its variable is refused with 400 validation_error.',
    source: 'run events §1.6',
  },
  {
    id: 'run.create.required-input',
    level: 'SHOULD',
    text: 'A required variable without default and without input is refused with 400 validation_error.',
    source: 'run events §1.6',
  },
  {
    id: 'run.create.default',
    level: 'MUST',
    text: 'A variable that is not given takes its default, which the final snapshot shows.',
    source: 'run events §1.6',
  },
  {
    id: 'run.snapshot.schema',
    level: 'MUST',
    text: 'The snapshot has runId, workflowId and a known status, and its fields keep their types.',
    source: 'run events §5',
  },
  {
    id: 'run.snapshot.echo',
    level: 'MUST',
    text: 'The snapshot echoes tags, metadata and configurable as they were given.',
    source: 'HTTP §5.2',
  },
  {
    id: 'run.snapshot.times',
    level: 'SHOULD',
    text: 'The snapshot of a finished run says when it started and ended, in this order.',
    source: 'run events §5',
  },
  {
    id: 'run.completes',
    level: 'MUST',
    text: 'A run of the noop fixture is completed within five seconds, without an error.',
    source: 'run events §3.6',
  },
  {
    id: 'run.terminal-stays',
    level: 'MUST',
    text: 'A terminal run never changes again.',
    source: 'run events §3.2',
  },
  {
    id: 'run.delay.running',
    level: 'MUST',
    text: 'A run that waits for time is shown as running until it is done.',
    source: 'run events §3.5',
  },
  {
    id: 'run.not-found',
    level: 'MUST',
    text: 'An unknown run is answered with 404 not_found.',
    source: 'HTTP §5.2',
  },

  {
    id: 'run.identity.variables',
    level: 'MUST',
    text: 'The input of the identity fixture appears unchanged as a variable of the final snapshot.',
    source: 'run events §1.10',
  },
  {
    id: 'run.identity.output',
    level: 'MUST',
    text: 'The identity node outputs its input unchanged.',
    source: 'run events §1.10',
  },

  {
    id: 'run.failure.accepted',
    level: 'MUST',
    text: 'A run that is going to fail is accepted with 201.',
    source: 'HTTP §5.1',
  },
  {
    id: 'run.failure.status',
    level: 'MUST',
    text: 'It ends as failed within five seconds.',
    source: 'run events §3.6',
  },
  {
    id: 'run.failure.events',
    level: 'MUST',
    text: 'Its log holds run.started, node.failed, run.failed in this order and nothing completed.',
    source: 'run events §3.3',
  },
  {
    id: 'run.failure.error',
    level: 'MUST',
    text: 'The snapshot of a failed run has an error of exactly code, message and perhaps details.',
    source: 'run events §5',
  },
  {
    id: 'run.failure.code',
    level: 'MUST',
    text: 'The failing fixture node reports conformance_test_failure, in the snapshot as in the events.',
    source: 'run events §1.10',
  },

  {
    id: 'run.cap.accepted',
    level: 'MUST',
    text: 'A run whose recursionLimit is below its size is accepted with 201.',
    source: 'run events §7',
  },
  {
    id: 'run.cap.stops',
    level: 'MUST',
    text: 'The node beyond the limit is not started and nothing more is scheduled.',
    source: 'run events §7',
  },
  {
    id: 'run.cap.event',
    level: 'MUST',
    text: 'Exactly one cap.breached with kind, limit, an observed value above it and the refused node comes before run.failed.',
    source: 'run events §7',
  },
  {
    id: 'run.cap.code',
    level: 'MUST',
    text: 'The run fails with recursion_limit_exceeded.',
    source: 'run events §7',
  },
  {
    id: 'run.cap.clamped',
    level: 'SHOULD',
    text: 'A recursionLimit above the advertised ceiling is clamped, not refused.',
    source: 'HTTP §13.3',
  },

  {
    id: 'run.capability.accepted',
    level: 'MUST',
    text: 'A run whose node needs a runtime capability the host lacks is accepted with 201.',
    source: 'HTTP §12.5',
  },
  {
    id: 'run.capability.code',
    level: 'MUST',
    text: 'It fails with capability_not_provided, and the message contains the missing id verbatim.',
    source: 'run events §3.7',
  },
  {
    id: 'run.capability.not-executed',
    level: 'MUST',
    text: 'The node is never started.',
    source: 'run events §3.7',
  },
  {
    id: 'run.capability.detail',
    level: 'SHOULD',
    text: 'details.capability names the missing id.',
    source: 'run events §3.7',
  },
  {
    id: 'run.capability.sentinel',
    level: 'MUST',
    text: 'No host registers the capability conformance.never-provided.',
    source: 'HTTP §12.5',
  },

  {
    id: 'run.configurable.served',
    level: 'MUST',
    text: 'A workflow that declares a configurableSchema is served with it.',
    source: 'HTTP §13.2',
  },
  {
    id: 'run.configurable.accepts',
    level: 'MUST',
    text: 'Run options that fit the schema are accepted and echoed.',
    source: 'HTTP §13.2',
  },
  {
    id: 'run.configurable.refuses',
    level: 'MUST',
    text: 'Run options that do not fit are refused with 400 or 422 validation_error.',
    source: 'HTTP §13.2',
  },
] as const satisfies readonly Requirement[];

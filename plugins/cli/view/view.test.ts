import { describe, expect, it } from 'vitest';
import type { Output } from '../../../kernel/commands.ts';
import type { JsonObject } from '../../../schemas/json.ts';
import type { RunEventDoc } from '../../../schemas/run-event.ts';
import type { WorkflowDefinition } from '../../../schemas/workflow-definition.ts';
import { createDisplay } from './display.ts';
import { Painter } from './painter.ts';
import { plainLine } from './plain.ts';
import { type RenderOptions, render } from './render.ts';
import { emptyView, fold, type RunView } from './state.ts';
import { bytes, cell, columns, duration, fit, printable } from './text.ts';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const ESC = '\u001b';

/** Events `[type, nodeId, ms after the start, payload]` of one run. */
function events(
  ...list: (readonly [type: RunEventDoc['type'], nodeId: string, ms: number, payload?: JsonObject])[]
): RunEventDoc[] {
  return list.map(([type, nodeId, ms, payload = {}], sequence) => ({
    eventId: `e${sequence}`,
    runId: 'r1',
    type,
    sequence,
    timestamp: new Date(START + ms).toISOString(),
    payload: nodeId === '' ? payload : { nodeId, ...payload },
    ...(nodeId === '' ? {} : { nodeId }),
  }));
}

function definition(
  ...nodes: (readonly [id: string, typeId: string, name: string, config?: JsonObject])[]
): WorkflowDefinition {
  return {
    id: 'w',
    name: 'Work',
    version: '1.0',
    nodes: nodes.map(([id, typeId, name, config = {}]) => ({
      id,
      typeId,
      name,
      config,
      inputs: {},
      position: { x: 0, y: 0 },
    })),
    edges: [],
    triggers: [],
    variables: [],
    metadata: {},
    settings: {},
  };
}

const work = definition(
  ['a', 'core.noop', 'First'],
  ['b', 'x.y', 'Second'],
  ['c', 'core.delay', 'Pause', { delayMs: 4000 }],
  ['d', 'core.noop', 'Last'],
);
const viewOf = (list: readonly RunEventDoc[], from: RunView = emptyView('r1', 'w', work)) =>
  list.reduce(fold, from);
const lines = (view: RunView, options: Partial<RenderOptions> = {}) =>
  render(view, { now: START + 2500, width: 80, height: 40, color: false, ...options });

const midway = viewOf(
  events(
    ['run.started', '', 0, { workflowId: 'w' }],
    ['node.started', 'a', 0, { typeId: 'core.noop' }],
    ['node.completed', 'a', 12],
    ['node.started', 'b', 12, { typeId: 'x.y', attempt: 0 }],
    ['node.started', 'c', 500, { typeId: 'core.delay' }],
    ['node.retried', 'b', 700, { attempt: 1, delayMs: 100, lastError: { code: 'x', message: 'no answer' } }],
  ),
);

describe('the live view', () => {
  it('shows done, waiting, retrying and pending steps', () => {
    expect(lines(midway)).toEqual([
      '⠙ Work  run r1  2.5 s',
      '  ✓ First          12 ms',
      '  ↻ Second         2.5 s  will retry, no answer',
      '  ◷ Pause  2.0 s / 4.0 s',
      '  · Last',
      '  running',
    ]);
  });

  it('shows the second attempt with the reason of the first, and forgets the reason once it completed', () => {
    const again = viewOf(events(['node.started', 'b', 800, { typeId: 'x.y', attempt: 1 }]), midway);
    expect(lines(again)[2]).toBe('  ⠙ Second         2.5 s  attempt 2, no answer');
    const done = viewOf(events(['node.completed', 'b', 1500]), again);
    expect(lines(done)[2]).toBe('  ✓ Second         1.5 s  after 2 attempts');
  });

  it('ends with status, duration and outputs', () => {
    const done = viewOf(
      events(['run.resumed', '', 3000], ['run.completed', '', 3200, { outputs: { n: 1 } }]),
      midway,
    );
    expect(lines(done)[0]).toBe('▸ Work  run r1  3.2 s');
    expect(lines(done).slice(-2)).toEqual(['✓ completed in 3.2 s, recovered once', '  outputs {"n":1}']);
    const failed = viewOf(
      events(['run.failed', '', 100, { error: { code: 'boom', message: 'it broke' } }]),
      midway,
    );
    expect(lines(failed).slice(-2)).toEqual(['✗ failed in 100 ms', '  boom: it broke']);
    expect(lines(viewOf(events(['run.cancelled', '', 100]), midway)).at(-1)).toBe('⊘ cancelled in 100 ms');
  });

  it('names skips and rounds of loops', () => {
    const view = viewOf(
      events(
        ['run.started', '', 0, {}],
        ['node.started', 'a', 0, { typeId: 't' }],
        ['node.completed', 'a', 1],
        ['node.started', 'a', 2, { typeId: 't' }],
        ['node.completed', 'a', 3],
        ['node.skipped', 'b', 4, { reason: 'branch not taken' }],
      ),
    );
    expect(lines(view)[1]).toMatch(/✓ First .* 1 ms {2}round 2$/);
    expect(lines(view)[2]).toMatch(/↷ Second .* skipped, branch not taken$/);
  });

  it('works without a definition, in order of appearance', () => {
    const view = viewOf(
      events(
        ['run.started', '', 0, {}],
        ['node.started', 'z', 0, { typeId: 't' }],
        ['node.started', 'y', 0, { typeId: 't' }],
      ),
      emptyView('r1', 'w'),
    );
    expect(view.nodes.map(({ name }) => name)).toEqual(['z', 'y']);
    expect(view.title).toBe('w');
  });

  it.each([20, 30, 45, 80])('never writes beyond %i columns, whatever the names', (width) => {
    const wide = definition(
      ['a', 't', `長い名前🚀${'x'.repeat(90)}`],
      ['b', 'core.delay', 'b', { delayMs: 3_900_000 }],
    );
    const view = viewOf(
      events(
        ['run.started', '', 0, {}],
        ['node.started', 'a', 0, { typeId: 't' }],
        ['node.started', 'b', 0, { typeId: 'core.delay' }],
        ['node.failed', 'a', 9, { error: { code: 'c', message: 'm'.repeat(200) } }],
        ['run.failed', '', 10, { error: { code: 'c', message: 'm'.repeat(200) } }],
      ),
      emptyView('r'.repeat(100), 'w', wide),
    );
    for (const color of [true, false])
      for (const line of lines(view, { width, color })) expect(columns(line)).toBeLessThanOrEqual(width);
  });

  it('keeps what matters when the terminal is low', () => {
    const many = definition(...Array.from({ length: 30 }, (_, i) => [`n${i}`, 't', `Step ${i}`] as const));
    const list = Array.from({ length: 20 }, (_, i) => [
      ['node.started', `n${i}`, i, { typeId: 't' }] as const,
      ...(i === 15 ? [] : [['node.completed', `n${i}`, i + 1] as const]),
    ]).flat();
    const drawn = lines(viewOf(events(['run.started', '', 0, {}], ...list), emptyView('r1', 'w', many)), {
      height: 8,
    });
    expect(drawn).toHaveLength(8);
    expect(drawn.join('\n')).toContain('Step 15');
    expect(drawn.join('\n')).toContain('Step 19');
    expect(drawn.at(-2)).toBe('  … 15 completed, 10 pending');
  });

  it('is not steered by what a workflow or a host says', () => {
    const evil = definition(['a', 't', `A${ESC}[2J${ESC}]0;x\u0007\r\n\u009b31mB`]);
    const drawn = lines(
      viewOf(
        events(['run.started', '', 0, {}], ['node.started', 'a', 0, { typeId: 't' }]),
        emptyView(`r${ESC}[1A`, 'w', evil),
      ),
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
    expect(drawn.join('')).not.toMatch(/[\u0000-\u001f\u0080-\u009f]/);
    expect(drawn).toHaveLength(3);
  });

  it('colours only when asked to', () => {
    expect(lines(midway).join('')).not.toContain(ESC);
    expect(lines(midway, { color: true }).join('')).toContain(`${ESC}[32m✓${ESC}[39m`);
  });
});

describe('fold', () => {
  it('tells a recovery from a resume after a pause', () => {
    const paused = viewOf(events(['run.started', '', 0, {}], ['run.paused', '', 1, {}]));
    expect(paused.status).toBe('paused');
    expect(viewOf(events(['run.resumed', '', 2, {}]), paused)).toMatchObject({
      status: 'running',
      recoveries: 0,
    });
    expect(viewOf(events(['run.started', '', 0, {}], ['run.resumed', '', 1, {}]))).toMatchObject({
      recoveries: 1,
    });
  });

  it('ignores what it does not know', () => {
    const unknown = events(
      ['run.started', '', 0, {}],
      ['vendor.new' as RunEventDoc['type'], 'a', 1],
      ['node.dreamt' as RunEventDoc['type'], 'a', 2],
    );
    expect(viewOf(unknown).nodes[0]?.state).toBe('pending');
    expect(viewOf(unknown).nextSequence).toBe(3);
  });
});

describe('plain lines', () => {
  it('say what happened, with the time since the start', () => {
    const list = events(
      ['run.started', '', 0, { workflowId: 'w' }],
      ['node.started', 'b', 5, { typeId: 't', attempt: 0 }],
      ['node.retried', 'b', 700, { attempt: 1, lastError: { code: 'x', message: 'no answer' } }],
      ['node.started', 'b', 800, { typeId: 't', attempt: 1 }],
      ['variable.changed', 'b', 900, { name: 'v' }],
      ['node.completed', 'b', 1805],
      ['run.completed', '', 61_805, { outputs: { ok: true } }],
    );
    let view = emptyView('r1', 'w', work);
    const said = list.map((event) => {
      view = fold(view, event);
      return plainLine(event, view);
    });
    expect(said).toEqual([
      '   +0.000 s  Work started, run r1',
      '   +0.005 s  Second started',
      '   +0.700 s  Second failed, will retry: no answer',
      '   +0.800 s  Second attempt 2',
      undefined,
      '   +1.805 s  Second completed in 1.8 s after 2 attempts',
      '  +61.805 s  run completed in 1 min 02 s, outputs {"ok":true}',
    ]);
  });
});

describe('text', () => {
  it('measures and cuts by terminal columns', () => {
    expect(columns(`a${ESC}[31mb${ESC}[39m長🚀e\u0301`)).toBe(7);
    expect(fit('長い名前', 5)).toBe('長い…');
    expect(fit('short', 5)).toBe('short');
    expect(fit('any', 0)).toBe('');
    expect(columns(cell('長い名前', 8))).toBe(8);
    expect(printable(`a${ESC}[31mb\nc`)).toBe('ab c');
  });

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [59_949, '59.9 s'],
    [59_950, '1 min 00 s'],
    [3_599_000, '59 min 59 s'],
    [3_720_000, '1 h 02 min'],
  ])('%i ms reads %s', (ms, text) => expect(duration(ms)).toBe(text));

  it('sizes', () => expect([bytes(12), bytes(3400), bytes(5_600_000)]).toEqual(['12 B', '3.4 kB', '5.6 MB']));
});

class Terminal implements Output {
  text = '';
  isTTY = true;
  columns = 40;
  rows = 10;
  readonly listeners = new Set<() => void>();
  write(text: string): void {
    this.text += text;
  }
  on(_: 'resize', listener: () => void): void {
    this.listeners.add(listener);
  }
  off(_: 'resize', listener: () => void): void {
    this.listeners.delete(listener);
  }
  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

describe('Painter', () => {
  it('goes back over exactly the rows it painted, and writes nothing when nothing changed', () => {
    const terminal = new Terminal();
    const painter = new Painter(terminal);
    painter.paint(['one', 'two']);
    expect(terminal.take()).toContain(`one${ESC}[K\ntwo${ESC}[K\n`);
    painter.paint(['one', 'two']);
    expect(terminal.take()).toBe('');
    painter.paint(['one', '2', '3']);
    expect(terminal.take()).toContain(`${ESC}[2A\rone${ESC}[K\n2${ESC}[K\n3${ESC}[K\n${ESC}[J`);
  });

  it('counts wrapped rows after the terminal became narrower', () => {
    const terminal = new Terminal();
    const painter = new Painter(terminal);
    painter.paint(['x'.repeat(30), 'y']);
    terminal.take();
    terminal.columns = 10;
    painter.paint(['z']);
    expect(terminal.take()).toContain(`${ESC}[4A\rz`);
  });

  it('prints lines above the block and repaints it', () => {
    const terminal = new Terminal();
    const painter = new Painter(terminal);
    painter.paint(['block']);
    terminal.take();
    painter.above(['news']);
    expect(terminal.take()).toMatch(/\[1A\rnews.*\n.*block/s);
  });

  it('hides the cursor while painting and gives it back', () => {
    const terminal = new Terminal();
    const painter = new Painter(terminal);
    painter.paint(['a']);
    expect(terminal.take()).toContain(`${ESC}[?25l`);
    painter.end();
    expect(terminal.take()).toBe(`${ESC}[?25h`);
  });
});

describe('createDisplay', () => {
  it('live: draws the last state and leaves no timer or listener behind', () => {
    const terminal = new Terminal();
    let view = emptyView('r1', 'w', work);
    const display = createDisplay('live', { stdout: terminal, color: false, current: () => view });
    expect(terminal.listeners.size).toBe(1);
    view = viewOf(events(['run.started', '', 0, {}], ['run.completed', '', 5, {}]));
    display.end();
    expect(terminal.text).toContain('✓ completed in 5 ms');
    expect(terminal.listeners.size).toBe(0);
  });

  it('json: one event per line and nothing else', () => {
    const terminal = new Terminal();
    const view = emptyView('r1', 'w');
    const display = createDisplay('json', { stdout: terminal, color: false, current: () => view });
    const [event] = events(['run.started', '', 0, {}]);
    if (event !== undefined) display.event(event, view);
    display.lost(true);
    display.say(['news']);
    display.end();
    expect(terminal.text).toBe(`${JSON.stringify(event)}\n`);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInputs, parseObject } from './input.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'wopr-input-'));
  writeFileSync(join(cwd, 'more.json'), '{"a":1,"b":[true]}');
  writeFileSync(join(cwd, 'list.json'), '[1]');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const inputs = (input: string[], text?: string) =>
  parseInputs({ input, inputs: text }, [{ name: 'zip', type: 'string' }], cwd);

describe('parseInputs', () => {
  it('reads values as JSON where they are JSON, else as text', () => {
    expect(
      inputs([
        'n=3',
        'f=-1.5',
        'yes=true',
        'none=null',
        'list=[1,2]',
        'o={"a":1}',
        'q="3"',
        'city=São Paulo',
        'empty=',
        'eq=a=b',
      ]),
    ).toEqual({
      n: 3,
      f: -1.5,
      yes: true,
      none: null,
      list: [1, 2],
      o: { a: 1 },
      q: '3',
      city: 'São Paulo',
      empty: '',
      eq: 'a=b',
    });
  });

  it('keeps a variable declared as string a string', () => {
    expect(inputs(['zip=12345', 'other=12345'])).toEqual({ zip: '12345', other: 12345 });
  });

  it('merges --inputs, files and pairs; later ones win', () => {
    expect(inputs(['a=0', '@more.json', 'b=2'], '{"a":9,"c":3}')).toEqual({ a: 1, b: 2, c: 3 });
  });

  it('passes odd names on instead of losing them', () => {
    expect(Object.keys(inputs(['__proto__=1']))).toEqual(['__proto__']);
  });

  it.each([
    [['novalue'], undefined, 'neither name=value nor @file.json'],
    [['=x'], undefined, 'neither name=value nor @file.json'],
    [['@missing.json'], undefined, 'Cannot read missing.json: ENOENT'],
    [['@list.json'], undefined, '@list.json must be a JSON object'],
    [[], '{a:1}', '--inputs is not valid JSON'],
    [[], '3', '--inputs must be a JSON object'],
  ])('refuses %j %j with exit code 2', (input, text, message) => {
    expect(() => inputs(input, text)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message) }),
    );
  });
});

describe('parseObject', () => {
  it('takes JSON or a file', () => {
    expect(parseObject('{"x":1}', '--configurable', cwd)).toEqual({ x: 1 });
    expect(parseObject('@more.json', '--configurable', cwd)).toEqual({ a: 1, b: [true] });
  });
});

// PortValue: where a node input comes from (run events §1.3).
import { type Static, Type } from 'typebox';
import { closed, taggedUnion } from './build.ts';
import { nonEmpty } from './common.ts';
import { AnyJson } from './json.ts';

const optionalSource = Type.Optional(
  Type.Boolean({ default: false, description: 'True lets the source be missing.' }),
);

export const PortValue = taggedUnion(
  'type',
  [
    closed({ type: Type.Literal('static'), value: AnyJson }),
    closed({ type: Type.Literal('expression'), expression: nonEmpty() }),
    closed({
      type: Type.Literal('connection'),
      nodeId: nonEmpty(),
      outputKey: nonEmpty(),
      optional: optionalSource,
    }),
    closed({ type: Type.Literal('variable'), variableName: nonEmpty(), optional: optionalSource }),
  ],
  { title: 'PortValue', description: 'Literal, expression, output of a node, or workflow variable.' },
);
export type PortValue = Static<typeof PortValue>;

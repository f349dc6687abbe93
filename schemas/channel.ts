// Channel declarations of a workflow: reducer, schema versions, access, bounds (run events §6.1, §6.3).
import { type Static, Type } from 'typebox';
import { closed } from './build.ts';
import { count, ReducerName } from './common.ts';
import { AnyJson, AnyObject, SchemaObject } from './json.ts';

const AccessList = Type.Array(
  Type.String({
    minLength: 1,
    maxLength: 256,
    pattern: '^([a-z][a-zA-Z0-9._-]*\\*?|\\*)$',
    description: 'Node id, typeId, a prefix ending in *, or *.',
  }),
  { uniqueItems: true, maxItems: 256 },
);

export const ChannelAccess = Type.Union(
  [
    Type.Literal('public'),
    Type.Literal('private'),
    closed({ readers: Type.Optional(AccessList), writers: Type.Optional(AccessList) }),
  ],
  { title: 'ChannelAccess', description: '"public", "private", or lists of readers and writers' },
);
export type ChannelAccess = Static<typeof ChannelAccess>;

const YEAR_MS = 31_536_000_000;

export const ChannelDeclaration = closed(
  {
    reducer: ReducerName,
    schema: Type.Optional(SchemaObject),
    schemaVersion: Type.Optional(count(1, { default: 1 })),
    compatibleWith: Type.Optional(Type.Array(count(1), { uniqueItems: true })),
    default: Type.Optional(AnyJson),
    maxSize: Type.Optional(count(1)),
    ttlMs: Type.Optional(
      Type.Integer({ minimum: 1, maximum: YEAR_MS, description: 'Age at which an entry is dropped.' }),
    ),
    options: Type.Optional(AnyObject),
    access: Type.Optional(ChannelAccess),
    sensitive: Type.Optional(Type.Boolean({ default: false })),
  },
  { title: 'ChannelDeclaration', description: 'A typed, reducer-folded piece of run state.' },
);
export type ChannelDeclaration = Static<typeof ChannelDeclaration>;

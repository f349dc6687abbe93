// Payload of channel.written: the write input, never the reduced value (run events §6.6).
import { Type } from 'typebox';
import { closed } from '../build.ts';
import { bounded, count, DateTime, Id128, ReducerName } from '../common.ts';
import { AnyJson } from '../json.ts';

/** `reducer` is the one in force at write time, so later edits of the declaration change no replay. */
export const ChannelWritten = closed({
  channel: bounded(1, 256),
  value: AnyJson,
  reducer: ReducerName,
  writtenAt: DateTime,
  nodeId: Type.Optional(Id128),
  schemaVersion: Type.Optional(count(1, { default: 1 })),
  sourceEngineId: Type.Optional(bounded(1, 256, { description: 'Engine of a cross-engine write.' })),
  sourceRunId: Type.Optional(Id128),
});

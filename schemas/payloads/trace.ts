// Payloads of variable.changed, log.appended and version.pinned (run events §4.5).
import { Type } from 'typebox';
import { open } from '../build.ts';
import { count, LogLevel, nonEmpty } from '../common.ts';
import { AnyJson, AnyObject } from '../json.ts';

/** Never for channels: those have `channel.written`. */
export const VariableChanged = open({
  name: nonEmpty(),
  previous: Type.Optional(AnyJson),
  next: Type.Optional(AnyJson),
  nodeId: Type.Optional(Type.String()),
});

export const LogAppended = open({
  level: LogLevel,
  message: Type.String(),
  nodeId: Type.Optional(Type.String()),
  fields: Type.Optional(AnyObject),
});

/** `version` starts at 0, so the default-version sentinel -1 is never pinned (HTTP §14.3). */
export const VersionPinned = open({
  changeId: nonEmpty(),
  version: count(),
  nodeId: Type.Optional(Type.String()),
});

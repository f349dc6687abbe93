/** Versions this build stamps and advertises (HTTP §14.1). */
import manifest from '../package.json' with { type: 'json' };

export const WOPR_VERSION: string = manifest.version;
/** Shape of persisted runs. */
export const ENGINE_VERSION = 1;
/** Event types, sequence and path semantics of the log. */
export const EVENT_LOG_SCHEMA_VERSION = 2;
/** Payload version stamped on every event. */
export const EVENT_SCHEMA_VERSION = 1;

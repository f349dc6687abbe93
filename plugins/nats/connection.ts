/** One connection to the NATS server that reconnects for ever, and knows whether it is up. */
import { readFile } from 'node:fs/promises';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { WoprError } from '../../kernel/errors.ts';
import type { NatsConfig } from './config.ts';

/** Pause between attempts to reconnect, in ms; the client adds up to 100 ms of jitter. */
const RECONNECT_MS = 250;
/** Two unanswered pings of this interval are a dead connection. */
const PING_MS = 10_000;
const CLOSE_MS = 2_000;

export type ConnectionConfig = Pick<NatsConfig, 'url' | 'user' | 'password' | 'credentialsFile'>;

export interface Connection {
  readonly nats: NatsConnection;
  /** False between a disconnect and the reconnect that follows it. */
  readonly connected: boolean;
  /** Calls back after each change of `connected`. */
  onChange(listener: (connected: boolean) => void): void;
  /** Sends what is buffered, then closes; does not wait long for a server that does not answer. */
  close(): Promise<void>;
}

/** Errors: `config_invalid` when the server cannot be reached or refuses the credentials. `role` is what the server shows as the client's name. */
export async function openConnection(
  config: ConnectionConfig,
  role: string,
  logger: Logger,
): Promise<Connection> {
  const servers = config.url.split(',').map((server) => server.trim());
  let nats: NatsConnection;
  try {
    nats = await connect({
      servers,
      name: `wopr ${role}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      pingInterval: PING_MS,
      // Credentials refused after a reconnect may be accepted again once the server is put right.
      ignoreAuthErrorAbort: true,
      // A stack trace for every request costs more than the request.
      noAsyncTraces: true,
      ...(config.user === undefined ? {} : { user: config.user }),
      ...(config.password === undefined ? {} : { pass: config.password }),
      ...(config.credentialsFile === undefined
        ? {}
        : { authenticator: credsAuthenticator(await readFile(config.credentialsFile)) }),
    });
  } catch (error) {
    throw new WoprError(
      'config_invalid',
      `plugins.nats.config: cannot connect to ${servers.join(', ')} (${reasonOf(error)}).`,
      { cause: error },
    );
  }
  return watch(nats, logger);
}

function watch(nats: NatsConnection, logger: Logger): Connection {
  const listeners: ((connected: boolean) => void)[] = [];
  let connected = true;
  const change = (now: boolean) => {
    connected = now;
    for (const listener of listeners) listener(now);
  };
  void (async () => {
    for await (const status of nats.status()) {
      if (status.type === 'disconnect') {
        logger.warn({ server: status.server }, 'NATS connection lost; reconnecting');
        change(false);
      } else if (status.type === 'reconnect') {
        logger.info({ server: status.server }, 'NATS connection restored');
        change(true);
      } else if (status.type === 'error') {
        logger.error({ err: status.error }, 'NATS reported an error');
      }
    }
    change(false);
  })();
  return {
    nats,
    get connected() {
      return connected;
    },
    onChange: (listener) => void listeners.push(listener),
    close: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      const drained = connected && !nats.isClosed() ? nats.drain() : Promise.resolve();
      // A connection lost while draining is as closed as can be.
      await Promise.race([drained.catch(() => undefined), late]);
      clearTimeout(timer);
      await nats.close();
    },
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return error.message || cause || error.name;
}

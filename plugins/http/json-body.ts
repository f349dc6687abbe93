/** Reads a request body: media type, size, encoding, JSON, nesting (HTTP §4 step 5). */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { WoprError } from '../../kernel/errors.ts';
import type { JsonValue } from '../../schemas/json.ts';

export interface BodyLimits {
  readonly bytes: number;
  readonly depth: number;
}

/** Size of the body read last is needed by nobody else, so it travels with the value. */
export interface Body {
  readonly value: JsonValue;
  readonly bytes: number;
}

/**
 * Reads and parses the body; undefined when the request has none. Errors: `payload_too_large`, `unsupported_media_type`,
 * `validation_error` (encoding, JSON, nesting), `request_timeout` when the client stopped sending.
 */
export async function readJsonBody(request: IncomingMessage, limits: BodyLimits): Promise<Body | undefined> {
  const { headers } = request;
  const declared = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (declared === undefined || declared === '0'))
    return undefined;
  if (declared !== undefined && Number(declared) > limits.bytes) throw tooLarge(limits.bytes);
  const buffer = await readBytes(request, limits.bytes);
  if (buffer.length === 0) return undefined;
  checkMediaType(headers['content-type'], headers['content-encoding']);
  if (!isUtf8(buffer)) throw invalid('The request body is not valid UTF-8.');
  const value = parse(buffer.toString());
  checkTree(value, limits.depth);
  return { value, bytes: buffer.length };
}

function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = () => {
      request.off('data', onData).off('end', onEnd).off('error', onLost).off('close', onLost);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        stop();
        // The rest is discarded, bounded by the request timeout, so that the client gets to read the answer.
        request.resume();
        reject(tooLarge(limit));
      } else chunks.push(chunk);
    };
    const onEnd = () => {
      stop();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    };
    const onLost = () => {
      stop();
      reject(new WoprError('request_timeout', 'The request body was not received completely.'));
    };
    // Gone while the credential was being checked: no event would ever come.
    if (request.destroyed) onLost();
    else request.on('data', onData).on('end', onEnd).on('error', onLost).on('close', onLost);
  });
}

function checkMediaType(type: string | undefined, encoding: string | undefined): void {
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new WoprError('unsupported_media_type', 'Compressed request bodies are not supported.');
  }
  if (type === 'application/json') return;
  const [media = '', ...parameters] = (type ?? '').toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => parameter.trim())
    .find((parameter) => parameter.startsWith('charset='));
  const readable = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (media.trim() !== 'application/json' || !readable) {
    throw new WoprError('unsupported_media_type', 'The request body must be "application/json" in UTF-8.');
  }
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    // V8's message quotes the text around the mistake, which may be a secret: only the position is passed on.
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    const place = position === undefined ? '' : ` (mistake at character ${position})`;
    throw invalid(`The request body is not valid JSON${place}.`);
  }
}

/** Bounds the nesting, so that no recursive code behind this can overflow, and refuses the key that would set a prototype when copied. */
function checkTree(value: JsonValue, levels: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (levels === 0) throw invalid('The request body is nested too deeply.');
  if (Array.isArray(value)) {
    for (const item of value) checkTree(item, levels - 1);
    return;
  }
  for (const key in value) {
    if (key === '__proto__') throw invalid('The request body contains the key "__proto__".');
    checkTree(value[key] as JsonValue, levels - 1);
  }
}

const invalid = (message: string) => new WoprError('validation_error', message);

const tooLarge = (limitBytes: number) =>
  new WoprError('payload_too_large', `The request body is larger than ${limitBytes} bytes.`, {
    details: { limitBytes },
  });

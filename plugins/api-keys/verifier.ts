/** Checks bearer tokens: the costly hash once per key, everything that may change on every request. */
import { hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { WoprError } from '../../kernel/errors.ts';
import type { Authenticator, Principal } from '../../kernel/plugin/points/http.ts';
import { keyIdOf, matchesHash } from './key-text.ts';
import { describe, type KeyRow } from './store.ts';

const BEARER = /^Bearer +(\S+) *$/i;
/** Texts remembered as verified, and as wrong, so that a client with a stale key costs nothing either. */
const MAX_VERIFIED = 10_000;
const MAX_WRONG = 1_000;
/** Keys hashed at the same time; beyond it callers are asked to come back, so that guessing cannot occupy the process. */
const MAX_HASHING = 32;

export interface VerifierOptions {
  row(keyId: string): KeyRow | undefined;
  /** Called when a key is used for the first time in this process. */
  onFirstUse(principal: Principal): void;
  readonly now?: () => number;
}

/** A key whose text was verified; the rest is as of `generation`. */
interface Known {
  readonly keyId: string;
  generation: number;
  principal: Principal;
  expiresAt: number;
  revoked: boolean;
}

export class KeyVerifier implements Authenticator {
  readonly name = 'api-keys';
  readonly #options: VerifierOptions;
  readonly #now: () => number;
  /** Secret of this process: the caches are keyed by a keyed hash, so that they hold no keys and comparing tells nothing. */
  readonly #pepper = randomBytes(32).toString('base64');
  readonly #fixed = new Map<string, Principal>();
  readonly #known = new LRUCache<string, Known>({ max: MAX_VERIFIED });
  readonly #wrong = new LRUCache<string, true>({ max: MAX_WRONG });
  readonly #hashing = new Map<string, Promise<Known | undefined>>();
  #generation = 0;

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Accepts a key that is not in the store. */
  addFixed(text: string, principal: Principal): void {
    this.#fixed.set(this.#digest(text), principal);
  }

  /** To be called when keys changed: the next use of each key reads it again. */
  invalidate(): void {
    this.#generation++;
  }

  /** Null for tokens that are no API keys. Errors: `unauthenticated`, `key_expired`, `key_revoked`; `service_unavailable` under a flood of guesses. */
  authenticate(authorization: string): Principal | null | Promise<Principal | null> {
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) return null;
    const digest = this.#digest(token);
    const fixed = this.#fixed.get(digest);
    if (fixed !== undefined) return fixed;
    const known = this.#known.get(digest);
    if (known !== undefined) return this.#current(known);
    const keyId = keyIdOf(token);
    if (keyId === undefined) return null;
    if (this.#wrong.has(digest)) throw unknownKey();
    return this.#verify(digest, keyId, token);
  }

  async #verify(digest: string, keyId: string, token: string): Promise<Principal> {
    let pending = this.#hashing.get(digest);
    if (pending === undefined) {
      if (this.#hashing.size >= MAX_HASHING) {
        throw new WoprError('service_unavailable', 'Too many keys are being verified.', {
          retryAfterSeconds: 1,
        });
      }
      pending = this.#hash(digest, keyId, token).finally(() => this.#hashing.delete(digest));
      this.#hashing.set(digest, pending);
    }
    const known = await pending;
    if (known === undefined) throw unknownKey();
    return this.#current(known);
  }

  async #hash(digest: string, keyId: string, token: string): Promise<Known | undefined> {
    const generation = this.#generation;
    const row = this.#options.row(keyId);
    // Ids are no secrets: an unknown one may be refused faster than a wrong secret. It is not remembered, as the key may yet appear.
    if (row === undefined) return undefined;
    if (!(await matchesHash(token, row.hash))) {
      this.#wrong.set(digest, true);
      return undefined;
    }
    const known: Known = { keyId, ...this.#read(row, generation) };
    this.#known.set(digest, known);
    if (!known.revoked && known.expiresAt > this.#now()) this.#options.onFirstUse(known.principal);
    return known;
  }

  /** The principal as of now. */
  #current(known: Known): Principal {
    if (known.generation !== this.#generation) {
      const row = this.#options.row(known.keyId);
      if (row === undefined) throw unknownKey();
      Object.assign(known, this.#read(row, this.#generation));
    }
    if (known.revoked) throw new WoprError('key_revoked', 'The API key was revoked.');
    if (known.expiresAt <= this.#now()) throw new WoprError('key_expired', 'The API key has expired.');
    return known.principal;
  }

  /** `generation` is the one before the row was read: a change while hashing must not go unnoticed. */
  #read(row: KeyRow, generation: number): Omit<Known, 'keyId'> {
    const { keyId, tenantIds, scopes, test } = describe(row, this.#now());
    return {
      generation,
      principal: { keyId, tenantId: tenantIds[0] ?? '', tenantIds, scopes: new Set(scopes), test },
      expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
      revoked: row.revoked_at !== null,
    };
  }

  #digest(text: string): string {
    return hash('sha256', this.#pepper + text, 'base64');
  }
}

const unknownKey = () => new WoprError('unauthenticated', 'The API key is not valid.');

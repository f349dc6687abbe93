/** Refuses clients that say they are older than this host supports (HTTP §14.5). */
import { WoprError } from '../../kernel/errors.ts';
import type { Middleware } from '../../kernel/plugin/points/http.ts';
import { MIN_CLIENT_VERSION } from './document.ts';

const AGENT = 'openwop-sdk/';
const VERSION = /^openwop-sdk\/(\d{1,6})\.(\d{1,6})/;

/** Any other user agent passes. */
export const clientFloor: Middleware = {
  name: 'client-floor',
  stage: 'admission',
  order: 100,
  // A client that is too old must still be able to read what it needs to become.
  appliesTo: (route) => route.unshedded !== true,
  handle: ({ headers }, _route, next) => {
    const agent = headers['user-agent'];
    if (agent?.startsWith(AGENT) && isTooOld(agent)) {
      throw new WoprError(
        'client_too_old',
        `This host needs clients of version ${MIN_CLIENT_VERSION} or newer.`,
        {
          details: { minClientVersion: MIN_CLIENT_VERSION },
        },
      );
    }
    return next();
  },
};

function isTooOld(agent: string): boolean {
  const [, major, minor] = VERSION.exec(agent) ?? [];
  if (major === undefined || minor === undefined) return false;
  const [minMajor = 0, minMinor = 0] = MIN_CLIENT_VERSION.split('.').map(Number);
  return Number(major) < minMajor || (Number(major) === minMajor && Number(minor) < minMinor);
}

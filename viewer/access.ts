import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Who may talk to the server. */
export interface AccessRules {
  /** Needed by every request but those for the page's own files. @default none: loopback only */
  readonly token?: string;
  /** Web origins beside the server's own that may read, exactly as browsers send them. */
  readonly origins: readonly string[];
}

/** The Foxglove app, and local builds of Lichtblick: whoever serves pages on loopback has the machine. */
export const FOXGLOVE_ORIGINS = ['https://app.foxglove.dev', 'file://'] as const;

/** Why a request is refused, or undefined where it is welcome. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly reason: string;
}

/**
 * Judges a request by three rules. The host must be this machine unless there is a token: a foreign name
 * that resolves to loopback is how a web page reaches local servers (DNS rebinding). A browser's origin
 * must be known. The token must fit.
 */
export function refusalOf(request: IncomingMessage, rules: AccessRules): Refusal | undefined {
  const { host = '', origin } = request.headers;
  if (!rules.token && !isLoopback(hostName(`http://${host}`))) {
    return { status: 403, reason: `Host "${host}" is not this machine; open the printed URL` };
  }
  if (!isAllowedOrigin(origin, host, rules)) {
    return {
      status: 403,
      reason: `Origin "${origin}" is not allowed; start the viewer with "--origin ${origin}"`,
    };
  }
  if (rules.token && !isEqual(tokenOf(request), rules.token)) {
    return { status: 401, reason: 'Token is missing or wrong; open the printed URL, which carries it' };
  }
  return undefined;
}

export function isAllowedOrigin(
  origin: string | undefined,
  host: string,
  { origins }: Pick<AccessRules, 'origins'>,
): boolean {
  if (origin === undefined) return true; // no browser, or the page itself
  if (origins.includes(origin)) return true;
  // The server's own page, also behind a proxy that adds TLS; or a page of this machine.
  return /^https?:\/\/(.+)$/.exec(origin)?.[1] === host || isLoopback(hostName(origin));
}

/** Whether a name or address can only mean this machine. */
export function isLoopback(name: string | undefined): boolean {
  return name !== undefined && /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(name);
}

function hostName(url: string): string | undefined {
  return URL.canParse(url) && /^https?:/.test(url) ? new URL(url).hostname : undefined;
}

/**
 * By header, by query, or among the subprotocols that a WebSocket offers: a browser can give those no header, and a
 * query ends up in logs. What an offered name may not hold is written as base64url.
 */
function tokenOf(request: IncomingMessage): string {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const offered = /(?:^|[\s,])kinescribe\.token\.([\w-]+)/.exec(
    request.headers['sec-websocket-protocol'] ?? '',
  )?.[1];
  const decoded = offered && Buffer.from(offered, 'base64url').toString();
  return bearer ?? decoded ?? requestUrl(request).searchParams.get('token') ?? '';
}

/** The request's path and query; the origin part means nothing. */
export function requestUrl(request: IncomingMessage): URL {
  const path = request.url ?? '/';
  return URL.canParse(path, 'http://localhost')
    ? new URL(path, 'http://localhost')
    : new URL('http://localhost');
}

/** Takes the same time wherever the two differ. */
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

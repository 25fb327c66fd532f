import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import { KinescribeError, UsageError } from '../schemas/errors.ts';
import type { LiveStreams } from '../schemas/live-streams.ts';
import type { RecordingControl } from '../schemas/recording-control.ts';
import type { AdditionsOf } from '../schemas/replay-addition.ts';
import {
  type AccessRules,
  FOXGLOVE_ORIGINS,
  isAllowedOrigin,
  isLoopback,
  refusalOf,
  requestUrl,
} from './access.ts';
import { ClientDesk, refuse } from './client-desk.ts';
import { sendJson } from './json.ts';
import { LibraryDesk } from './library-desk.ts';
import { isScreen, pageFile } from './page.ts';
import { RecordingDesk } from './recording-desk.ts';
import { ReplayedEpisodes } from './replayed-episodes.ts';
import { answerRequest } from './routes.ts';
import type { EpisodeShelf } from './shelf.ts';

export interface ReplayServerOptions {
  /** Port to listen on; 0 takes a free one. @default 8765, where Foxglove looks first */
  readonly port?: number;
  /** Address to listen on. Any but loopback demands a token. @default '127.0.0.1' */
  readonly host?: string;
  /** Secret that every request must carry. @default none */
  readonly token?: string;
  /** Certificate and private key, PEM: everything is encrypted then. @default none */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Web origins that may read, beside the page's own, this machine's and Foxglove's. @default none */
  readonly origins?: readonly string[];
  /** Replay clients at one time; a further one is refused. @default 32 */
  readonly maxClients?: number;
  /** Bytes queued for one client above which pictures are left out. @default 8 MiB */
  readonly highWaterBytes?: number;
  /** A running recording session: its page can be served and steers it. @default none */
  readonly recording?: RecordingControl;
  /** The robot's streams of that session, which clients see that name no episode. @default none */
  readonly live?: LiveStreams;
  /** Topics that a replay shows beside those of the file. @default none */
  readonly additionsOf?: AdditionsOf;
  /** Whether all clients of an episode share one playback. @default false */
  readonly shared?: boolean;
  /** Whether `/metrics` tells Prometheus about the recording. @default false */
  readonly metrics?: boolean;
  /** Gets one line for each kind of trouble that whoever started the server may want to know. */
  readonly notice?: (line: string) => void;
}

export interface ReplayServer {
  readonly address: AddressInfo;
  /** An address that a client can open, with the token that it needs. */
  url(path: string, scheme?: 'http' | 'ws'): string;
  /** Says goodbye to every client and frees the port. */
  close(): Promise<void>;
}

/** Connections of every kind, replay clients and downloads together. */
const MAX_CONNECTIONS = 256;

/**
 * Serves the page, the JSON API, the episode files and the Foxglove WebSocket on one port.
 *
 * @throws {UsageError} when the address asks for a token and there is none, or cannot be listened on.
 */
export async function startReplayServer(
  shelf: EpisodeShelf,
  options: ReplayServerOptions = {},
): Promise<ReplayServer> {
  const { port = 8765, host = '127.0.0.1', token, origins = [], notice = () => {} } = options;
  if (!token && !isLoopback(host)) {
    throw new UsageError(
      `Cannot serve on "${host}": whoever reaches it could read every episode. ` +
        'Give a secret with "--token <text>", or stay on 127.0.0.1.',
    );
  }
  const rules: AccessRules = { origins: [...FOXGLOVE_ORIGINS, ...origins], ...(token && { token }) };
  const noticed = new Set<string>();
  const noticeOnce = (line: string) => {
    if (noticed.size < MAX_NOTICES && !noticed.has(line)) notice(line);
    noticed.add(line);
  };
  const { recording, live, metrics = false } = options;
  const episodes = new ReplayedEpisodes(shelf, { additionsOf: options.additionsOf, notice: noticeOnce });
  const clients = new ClientDesk(episodes, {
    maxClients: options.maxClients ?? 32,
    highWaterBytes: options.highWaterBytes ?? 8 << 20,
    shared: options.shared ?? false,
    live: recording && live && { streams: live, control: recording },
    notice: noticeOnce,
  });
  const desk = recording && new RecordingDesk(recording, { metrics });
  const library = new LibraryDesk(shelf, { isRecording: recording !== undefined });
  const services = { shelf, rules, desk, library, additionsOf: options.additionsOf };
  const server = listener(options.tls, (request, response) => {
    answer(services, request, response).catch((error: unknown) => {
      noticeOnce(`Cannot answer ${request.method} ${requestUrl(request).pathname}: ${messageOf(error)}`);
      if (response.headersSent) response.destroy();
      else sendJson(response, { error: messageOf(error) }, error instanceof KinescribeError ? 422 : 500);
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy()); // a client that hangs up while it is being answered
    const refusal = refusalOf(request, rules);
    if (refusal) {
      noticeOnce(`Refused a replay client: ${refusal.reason}`);
      refuse(socket, refusal);
      return;
    }
    void clients.admit(request, socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const hint = cause.code === 'EADDRINUSE' ? ' Another program has it; choose another port.' : '';
      reject(new UsageError(`Cannot serve on ${host}:${port}: ${cause.message}.${hint}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const place = `${openableHost(address)}:${address.port}`;
  const query = token ? `?token=${encodeURIComponent(token)}` : '';
  return {
    address,
    url: (path, scheme = 'http') => `${scheme}${options.tls ? 's' : ''}://${place}${path}${query}`,
    close: async () => {
      clients.close();
      desk?.close();
      library.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      // Downloads that are under way would keep the server open.
      const cut = setTimeout(() => server.closeAllConnections(), 1000);
      await closed;
      clearTimeout(cut);
    },
  };
}

function listener(tls: ReplayServerOptions['tls'], answer: RequestListener): Server {
  if (!tls) return createServer(answer);
  try {
    return createTlsServer(tls, answer);
  } catch (cause) {
    throw new UsageError(
      `Cannot serve with TLS: certificate and key must be PEM and belong together: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

/** Hostile clients must not fill a log by inventing new names. */
const MAX_NOTICES = 100;

/** Where clients find a server: one that listens everywhere, under this machine's first outer address. */
function openableHost({ address, family }: AddressInfo): string {
  const isAny = address === '0.0.0.0' || address === '::';
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((each) => each.family === 'IPv4' && !each.internal);
  if (isAny) return outer?.address ?? 'localhost';
  return family === 'IPv6' ? `[${address}]` : address;
}

interface Services {
  readonly shelf: EpisodeShelf;
  readonly rules: AccessRules;
  readonly desk: RecordingDesk | undefined;
  readonly library: LibraryDesk;
  readonly additionsOf: AdditionsOf | undefined;
}

async function answer(
  { shelf, rules, desk, library, additionsOf }: Services,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin, host = '' } = request.headers;
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Vary', 'Origin');
  if (origin !== undefined && isAllowedOrigin(origin, host, rules)) allowOrigin(response, origin);
  if (request.method === 'OPTIONS') {
    response.writeHead(204).end();
    return;
  }
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  // The page itself holds nothing secret, and its scripts are asked for without the token.
  const page = isReading ? await pageFile(requestUrl(request).pathname) : undefined;
  if (page) {
    response.setHeader(
      'Content-Security-Policy',
      "default-src 'self'; img-src 'self' blob:; style-src 'self' 'unsafe-inline'",
    );
    response.writeHead(200, { 'Content-Type': page.mediaType }).end(page.content);
    return;
  }
  const refusal = refusalOf(request, rules);
  if (refusal) sendJson(response, { error: refusal.reason }, refusal.status);
  else if ((await desk?.answer(request, response)) || (await library.answer(request, response))) return;
  else if (!isReading) sendJson(response, { error: 'Only GET and HEAD are understood here' }, 405);
  else if (!(await answerRequest({ shelf, request, response, additionsOf }))) {
    const { pathname } = requestUrl(request);
    sendJson(response, { error: `Nothing is served under "${pathname}"${hintOf(pathname)}` }, 404);
  }
}

/** What to do where something could have been. */
function hintOf(pathname: string): string {
  if (isScreen(pathname)) return ': the page is not built; run "npm run build:web" in the clone';
  if (!pathname.startsWith('/api/recording')) return '';
  return ': no recording session is served here; start one with "kinescribe record --serve"';
}

/** What Foxglove and Lichtblick need to read a file from another origin by ranges. */
function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD');
  response.setHeader('Access-Control-Allow-Headers', 'Range, If-Range, Authorization');
  response.setHeader('Access-Control-Expose-Headers', 'Accept-Ranges, Content-Length, Content-Range, ETag');
  // Lets a page of the public web reach this machine, which browsers ask about separately.
  response.setHeader('Access-Control-Allow-Private-Network', 'true');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

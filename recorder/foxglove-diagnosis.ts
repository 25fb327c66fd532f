import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { SUBPROTOCOLS } from './foxglove-frames.ts';

const START_BRIDGE = 'start the bridge there ("ros2 launch foxglove_bridge foxglove_bridge_launch.xml")';

/** What the system's codes for a failed connection mean, and what to do about them. */
const NETWORK_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: `no program listens there. Check address and port, and ${START_BRIDGE}`,
  ENOTFOUND: 'no machine of that name is known. Check the name, or give the IP address',
  EAI_AGAIN: 'the name could not be looked up. Check the network, or give the IP address',
  EHOSTUNREACH: 'the machine cannot be reached. Check that it is switched on and in this network',
  ENETUNREACH: 'the network cannot be reached. Check the connection of this machine',
  ETIMEDOUT: 'it does not answer. Check that it is switched on, and its firewall',
};

/**
 * Says in a sentence or two why a WebSocket did not come about and what to do: the client of the platform
 * tells nothing, so the handshake is made once more by hand.
 */
export function diagnoseServer(url: URL, timeoutMillis: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const request = handshake(url);
  request.setTimeout(timeoutMillis, () => {
    resolve('it accepts connections but does not answer. Check that the port is that of a Foxglove bridge');
    request.destroy();
  });
  request.once('response', (response) => {
    let body = '';
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      body = (body + text).slice(0, 200);
    });
    response.once('close', () => resolve(refusal(response.statusCode ?? 0, body.trim())));
  });
  request.once('upgrade', (response, socket) => {
    socket.destroy();
    const chosen = response.headers['sec-websocket-protocol'];
    resolve(
      chosen !== undefined && SUBPROTOCOLS.includes(chosen)
        ? 'it accepts the subprotocol but says nothing that a Foxglove bridge says. Check what runs on that port'
        : `it is a WebSocket server of another kind: it ${chosen ? `chose the subprotocol "${chosen}"` : 'chose no subprotocol'}, ` +
            `not one of ${SUBPROTOCOLS.join(', ')}. Check the port, and that the bridge is of 2023 or newer`,
    );
  });
  request.once('error', (error: NodeJS.ErrnoException) => {
    resolve(
      NETWORK_FAULTS[error.code ?? ''] ??
        `what answers is no web server (${error.message}). Check that the port is that of a Foxglove bridge`,
    );
  });
  request.end();
  return promise;
}

function handshake(url: URL): ClientRequest {
  const isSecure = url.protocol === 'wss:';
  const target = new URL(url);
  target.protocol = isSecure ? 'https:' : 'http:';
  return (isSecure ? httpsRequest : httpRequest)(target, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.from('0123456789abcdef').toString('base64'),
      'sec-websocket-protocol': SUBPROTOCOLS.join(', '),
    },
  });
}

function refusal(status: number, body: string): string {
  const said = body === '' ? `HTTP status ${status}` : `HTTP status ${status}, "${body}"`;
  if (status === 401 || status === 403) {
    return `it wants to know who asks (${said}). Add what it asks for to the address, such as "?token=…"`;
  }
  if (status === 200) return 'it is a web server without a Foxglove bridge. Check the port';
  return `it refuses the connection (${said}). Check the address, the port and the log of the server`;
}

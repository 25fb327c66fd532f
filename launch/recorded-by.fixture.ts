import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { readLabels } from '../schemas/labels.ts';
import type { RecordingCommand } from '../schemas/recording-control.ts';
import { ServedSession } from './served-session.fixture.ts';

/** What an operator of any kind can do. */
export type Deed = 'start' | 'stop' | 'mistake' | 'pause' | 'resume' | 'success' | 'discard';

export interface Operator extends AsyncDisposable {
  do(deed: Deed): Promise<unknown>;
}

/** Puts an operator in front of a session. */
export type OpenOperator = (served: ServedSession) => Promise<Operator>;

export const COMMANDS: Readonly<Record<Deed, RecordingCommand>> = {
  start: { kind: 'start' },
  stop: { kind: 'stop' },
  mistake: { kind: 'mistake' },
  pause: { kind: 'pause' },
  resume: { kind: 'resume' },
  success: { kind: 'keep', outcome: 'success' },
  discard: { kind: 'discard' },
};

export const noDispose = { [Symbol.asyncDispose]: async () => {} };

/** Every control is held to what plain commands record. */
export const byCommands: OpenOperator = async ({ session }) => ({
  do: (deed) => session.command(COMMANDS[deed]),
  ...noDispose,
});

/** Two takes: one with a mistake and a pause that succeeds, one that is discarded. */
export async function recordedBy(open: OpenOperator) {
  await using served = await ServedSession.open();
  await using operator = await open(served);
  const deed = async (what: Deed) => {
    const settled = Promise.withResolvers<void>();
    const unlisten = served.session.listen(settled.resolve);
    await operator.do(what);
    await settled.promise;
    unlisten();
  };
  await deed('start');
  served.send(1);
  await deed('mistake');
  await deed('pause');
  served.send(0.5);
  await deed('resume');
  await deed('stop');
  await deed('success');
  await deed('start');
  served.send(0.2);
  await deed('stop');
  await deed('discard');
  const file = join(served.directory, 'desk-0001.mcap');
  await using reader = await EpisodeReader.open(file);
  const messages = [];
  for await (const { channel, logTime, data } of reader.messages()) {
    messages.push([channel.topic, logTime, Buffer.from(data).toString('latin1')]);
  }
  return {
    messages,
    info: await reader.info(),
    ledger: await reader.ledger(),
    labels: (await readLabels(file)).map(({ author, label }) => ({ author, label })),
    discarded: (await readFile(join(served.directory, 'trash', 'desk-0002.mcap'))).length,
    takes: { kept: served.session.status().kept, discarded: served.session.status().discarded },
  };
}

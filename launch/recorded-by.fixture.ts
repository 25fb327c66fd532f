import { join } from 'node:path';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { readLabels } from '../schemas/labels.ts';
import type { RecordingCommand, RecordingControl } from '../schemas/recording-control.ts';
import { ServedSession } from './served-session.fixture.ts';

/** What an operator of any kind can do. */
export type Deed = 'start' | 'stop' | 'mistake' | 'pause' | 'resume' | 'success' | 'discard';

export interface Operator extends AsyncDisposable {
  do(deed: Deed): Promise<unknown>;
}

/** Puts an operator in front of a session, which is served as well. */
export type OpenOperator = (session: RecordingControl, served: ServedSession) => Promise<Operator>;

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
export const byCommands: OpenOperator = async (session) => ({
  do: (deed) => session.command(COMMANDS[deed]),
  ...noDispose,
});

/** Two takes: one with a mistake and a pause that succeeds, one that is discarded. */
export async function recordedBy(open: OpenOperator) {
  let carriedOut = () => {};
  const watched = (session: RecordingControl): RecordingControl => ({
    status: () => session.status(),
    listen: (changed) => session.listen(changed),
    command: (command) => session.command(command).finally(() => carriedOut()),
  });
  await using served = await ServedSession.open({ watched });
  await using operator = await open(watched(served.session), served);
  const deed = async (what: Deed) => {
    const done = Promise.withResolvers<void>();
    carriedOut = done.resolve;
    await operator.do(what); // a key or a pedal is pressed and waits for nothing
    await done.promise;
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
  const { kept, discarded } = served.session.status();
  return {
    kept: await contentOf(join(served.directory, 'desk-0001.mcap')),
    discarded: await contentOf(join(served.directory, 'trash', 'desk-0002.mcap')),
    takes: { kept, discarded },
  };
}

/** Everything but the bytes: where a chunk ends depends on how busy the machine is. */
async function contentOf(file: string) {
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
  };
}

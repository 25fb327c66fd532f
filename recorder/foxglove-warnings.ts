import type { ChannelSpec } from '../schemas/message.ts';
import type { SourceWarning } from './source.ts';

/** What a Foxglove source tells the operator, in full sentences. */

export function connectionBroke(address: string, why: string, isReplay: boolean): SourceWarning {
  const meaning = isReplay
    ? 'The replay goes on where it broke off as soon as the server is back.'
    : 'What the robot sends meanwhile is missing; connecting again until it succeeds.';
  return { kind: 'connection', message: `The connection to "${address}" broke: ${why}. ${meaning}` };
}

export function connectionBack(address: string, secs: number, isReplay: boolean): SourceWarning {
  const meaning = isReplay ? '' : '; messages of this time are missing';
  return {
    kind: 'connection',
    message: `Connected to "${address}" again after ${secs.toFixed(1)} s${meaning}.`,
  };
}

export function serverSays(text: string): SourceWarning {
  const advice = /buffer limit/i.test(text)
    ? ' It leaves out messages that are not taken fast enough: record fewer topics, or over a faster network.'
    : '';
  return { kind: 'server-status', message: `The server says: "${text.slice(0, 500)}".${advice}` };
}

export function notUnderstood(address: string, found: string): SourceWarning {
  return {
    kind: 'not-understood',
    message: `The server at "${address}" sends what is not understood, and nothing of it is recorded: ${found}.`,
  };
}

export function noLongerOffered(topic: string): SourceWarning {
  return {
    kind: 'publishers-gone',
    topic,
    message: `Topic "${topic}" is offered no more. Recording of it goes on when it comes back.`,
  };
}

/** @param types that the topic has had so far, this channel's included. */
export function doubtsAbout(
  { topic, messageEncoding, schema }: ChannelSpec,
  types: readonly string[],
): SourceWarning[] {
  const doubts: SourceWarning[] = [];
  if (types.length > 1) {
    doubts.push({
      kind: 'second-type',
      topic,
      message:
        `Topic "${topic}" has several types: ${types.map((type) => `"${type}"`).join(', ')}. All are recorded, each ` +
        'as a channel of its own; a reader that goes by topic alone sees only one.',
    });
  }
  if (messageEncoding === 'cdr' && !schema?.data.byteLength) {
    doubts.push({
      kind: 'missing-definition',
      topic,
      message:
        `Topic "${topic}" is recorded without the definition of "${schema?.name ?? ''}", which the server does not ` +
        'know. Its messages can be replayed but not decoded; source the package where the bridge runs.',
    });
  }
  return doubts;
}

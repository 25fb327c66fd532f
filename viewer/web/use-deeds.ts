import { useState } from 'preact/hooks';
import type { EpisodeFacts, EpisodeNeighbours } from '../api.ts';
import type { EpisodeDeeds } from './episode-keys.ts';
import { episodeTime } from './episode-time.ts';
import type { LabelStore } from './label-store.ts';
import type { Replay } from './replay.ts';
import { pageAddress } from './server.ts';

export const SPEEDS: readonly number[] = [0.1, 0.25, 0.5, 1, 2, 4];

interface Context {
  readonly facts: EpisodeFacts;
  readonly replay: Replay;
  readonly store: LabelStore | undefined;
  readonly hasList: boolean;
  readonly neighbours: EpisodeNeighbours | undefined;
  /** Where something is to be looked at, seconds in ascending order. */
  readonly eventSecs: readonly number[];
  readonly frameSecs: number;
  readonly seek: (secs: number) => void;
  readonly toggleHelp: () => void;
}

export interface Marks {
  readonly name: string;
  readonly setName: (name: string) => void;
  /** Where a mark was begun, seconds; undefined while none is open. */
  readonly openSecs: number | undefined;
}

/** A jump to the next event must leave the one that is shown. */
const EVENT_SECS = 0.02;

/** What keys and buttons of the page do. */
export function useDeeds(context: Context): { readonly deeds: EpisodeDeeds; readonly marks: Marks } {
  const { facts, replay, store, hasList, neighbours, eventSecs, frameSecs, seek, toggleHelp } = context;
  const [name, setName] = useState('mistake');
  const [openSecs, setOpenSecs] = useState<number>();
  const time = episodeTime(facts);
  const now = () => time.secsAt(replay.state.time);
  const mark = (fromSecs: number, toSecs: number) => {
    const [start, end] = [Math.min(fromSecs, toSecs), Math.max(fromSecs, toSecs)];
    const span = { startTime: String(time.timeAt(start)), endTime: String(time.timeAt(end)) };
    void store?.say({ kind: 'mark', name: name.trim() || 'mark', ...span });
  };
  const deeds: EpisodeDeeds = {
    toggle: () => replay.toggle(),
    step: (count, unit) => {
      replay.pause();
      seek(now() + count * (unit === 'frame' ? frameSecs : 1));
    },
    toEdge: (edge) => seek(edge === 'start' ? 0 : facts.durationSecs),
    toEvent: (direction) => {
      const next =
        direction > 0
          ? eventSecs.find((secs) => secs > now() + EVENT_SECS)
          : eventSecs.findLast((secs) => secs < now() - EVENT_SECS);
      if (next !== undefined) seek(next);
    },
    changeSpeed: (direction) => {
      const at = SPEEDS.findIndex((speed) => speed >= replay.state.speed) + direction;
      const speed = SPEEDS[at];
      if (speed) replay.setSpeed(speed);
    },
    toNeighbour: (which) => {
      const id = neighbours?.[which];
      if (id) location.assign(pageAddress(id));
    },
    toLibrary: () => hasList && location.assign(pageAddress()),
    judge: (label) => void store?.judge(label),
    trim: (edge) => {
      const held = store?.state.labels?.current.trim;
      const ranges = held?.label.ranges;
      const at = time.timeAt(now());
      const [first, last] = [time.timeAt(0), BigInt(facts.endTime)];
      const range = {
        startTime: edge === 'start' ? at : BigInt(ranges?.[0]?.startTime ?? first),
        endTime: edge === 'end' ? at : BigInt(ranges?.at(-1)?.endTime ?? last),
      };
      // An edge set beyond the other one frees it.
      const isTurned = range.startTime >= range.endTime;
      const startTime = isTurned && edge === 'end' ? first : range.startTime;
      const endTime = isTurned && edge === 'start' ? last : range.endTime;
      if (startTime >= endTime) return;
      const kept = { startTime: String(startTime), endTime: String(endTime) };
      void store?.say({ kind: 'trim', ranges: [kept] }, held?.id);
    },
    mark: (kind) => {
      if (kind === 'instant') mark(now(), now());
      else if (openSecs === undefined) setOpenSecs(now());
      else {
        setOpenSecs(undefined);
        mark(openSecs, now());
      }
    },
    writeNote: () => document.getElementById('note')?.focus(),
    undo: () => void store?.undo(),
    redo: () => void store?.redo(),
    toggleHelp,
  };
  return { deeds, marks: { name, setName, openSecs } };
}

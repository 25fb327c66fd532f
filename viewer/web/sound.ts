import { useEffect, useRef, useState } from 'preact/hooks';
import { type AudibleStatus, cueOf, type RecordingCue } from '../../schemas/recording-cues.ts';

/** What the page lets one hear; nothing unless somebody asks for it. */
export type Sound = 'off' | 'tones' | 'voice';
export const SOUNDS: readonly Sound[] = ['off', 'tones', 'voice'];
const STORED = 'kinescribe.sound';

/** Notes in hertz, one after the other: up is go, down is end, low and repeated is wrong. */
const NOTES: Readonly<Record<RecordingCue, readonly number[]>> = {
  start: [523, 784],
  stop: [784, 523],
  kept: [784],
  discarded: [392],
  trouble: [220, 0, 220, 0, 220],
};
const NOTE_SECS = 0.16;

const WORDS: Readonly<Record<RecordingCue, string>> = {
  start: 'recording',
  stop: 'stopped',
  kept: 'kept',
  discarded: 'discarded',
  trouble: 'look at the screen',
};

/** Lets one hear what happens, as this browser was asked to the last time. */
export function useSound(status: AudibleStatus | undefined): readonly [Sound, (sound: Sound) => void] {
  const [sound, setSound] = useState<Sound>(
    () => SOUNDS.find((each) => each === localStorage.getItem(STORED)) ?? 'off',
  );
  const before = useRef(status);
  useEffect(() => {
    const cue = before.current && status && cueOf(before.current, status);
    before.current = status;
    if (cue && sound === 'tones') play(NOTES[cue]);
    if (cue && sound === 'voice') speechSynthesis.speak(new SpeechSynthesisUtterance(WORDS[cue]));
  }, [status]);
  const choose = (chosen: Sound) => {
    localStorage.setItem(STORED, chosen);
    setSound(chosen);
    if (chosen === 'tones') play(NOTES.start); // also lets the browser know that sound is wanted
  };
  return [sound, choose];
}

let context: AudioContext | undefined;

function play(notes: readonly number[]): void {
  context ??= new AudioContext();
  void context.resume();
  const { currentTime, destination } = context;
  for (const [i, frequency] of notes.entries()) {
    if (frequency === 0) continue;
    const tone = new OscillatorNode(context, { frequency });
    const volume = new GainNode(context, { gain: 0.3 });
    tone.connect(volume).connect(destination);
    tone.start(currentTime + i * NOTE_SECS);
    tone.stop(currentTime + (i + 1) * NOTE_SECS);
  }
}

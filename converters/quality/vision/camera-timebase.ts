import type { Check, Judgement, Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import type { CheckedStream } from '../subject.ts';
import { isCamera } from './per-camera.ts';

/** So many stamps without a counterpart, and none with one: the two are not stamped alike. */
const MOST_OPEN = 256;
/** Of a camera and an info that belong together at least this share of the pictures has both. */
const LEAST_PAIRED = 0.5;

/** Pictures against the messages that their driver sends with each of them. */
export const CAMERA_TIMEBASE: Check = {
  id: 'V02',
  title: 'pictures against their camera info',
  claim: 'DEFECT',
  runs: 'take',
  unit: 'share',
  // Those of T06: every picture bears its stamp, so that one that is lost shifts no other, as it does in a video.
  limits: { warn: 0.01, fail: 0.05, validated: false },
  explain: {
    cause: 'Pictures are lost on a way that the small info messages survive, or the other way round.',
    formula:
      'Share of the stamps, from the first to the last that both have, at which there is a picture without its camera ' +
      'info or an info without its picture. What only one of them has at an end of the episode is T08’s; that a ' +
      'dataset’s video has as many frames as rows is checked by "kinescribe verify".',
    remedy: 'See T06 of both streams; give pictures a reliable QoS and a larger queue.',
    example: 'front: 38 of 450 stamps have no picture or no camera info',
    source: 'after lerobot-lint, for frames of a video against rows; limits as of T06, our own',
  },
  watch: (): Watch => {
    const cameras = new Set<CheckedStream>();
    const infos = new Set<CheckedStream>();
    const pairs = new Map<CheckedStream, Pair>();
    return {
      wants: (stream) => isCamera(stream) || isInfo(stream),
      observe({ stream, sensorTime, logTime }) {
        const [own, others] = isInfo(stream) ? [infos, cameras] : [cameras, infos];
        own.add(stream);
        for (const other of others) {
          const [camera, info] = isInfo(stream) ? [other, stream] : [stream, other];
          if (!isBeside(info.topic, camera.topic)) continue;
          entryOf(pairs, camera, () => new Pair()).add(stream, sensorTime ?? 0n, logTime);
        }
      },
      *findings(_now, facts): Generator<Judgement> {
        if (!facts) return;
        for (const stream of cameras) {
          const pair = pairs.get(stream);
          if (pair?.isPaired) yield { stream, ...pair.judgement() };
          else {
            const reason = pair
              ? 'its camera info does not bear the stamps of its pictures'
              : 'no camera info counts its pictures';
            yield { stream, status: 'not_assessed', reason };
          }
        }
      },
    };
  },
};

/** Matches the stamps of a camera and its info; both come in order, however much later than the other. */
class Pair {
  /** Stamps of which only one has come, oldest first. */
  readonly #open = new Map<bigint, { readonly stream: CheckedStream; readonly logTime: bigint }>();
  #paired = 0;
  #single = 0;
  #window: { readonly startTime: bigint; readonly endTime: bigint } | undefined;

  add(stream: CheckedStream, stamp: bigint, logTime: bigint): void {
    const open = this.#open.get(stamp);
    if (!open || open.stream === stream) {
      this.#open.set(stamp, { stream, logTime });
      if (this.#open.size > MOST_OPEN) this.#open.delete(this.#open.keys().next().value!);
      return;
    }
    this.#open.delete(stamp);
    // What is older than a pair stays single; before the first pair it is the start of one of the two.
    for (const [older, single] of this.#open) {
      if (older >= stamp) continue;
      this.#open.delete(older);
      if (this.#paired === 0) continue;
      this.#single++;
      this.#window = { startTime: this.#window?.startTime ?? single.logTime, endTime: single.logTime + 1n };
    }
    this.#paired++;
  }

  get isPaired(): boolean {
    return this.#paired > 0 && this.#paired >= LEAST_PAIRED * (this.#paired + this.#single);
  }

  judgement(): Judgement {
    const stamps = this.#paired + this.#single;
    const reason = `${this.#single} of ${stamps} stamps have no picture or no camera info`;
    const evidence = { pairs: this.#paired, single: this.#single };
    return { value: this.#single / stamps, window: this.#window, evidence, reason };
  }
}

function isInfo({ type }: CheckedStream): boolean {
  return /\/CameraInfo$/.test(type);
}

/** By the convention of image_transport: the info lies beside the raw picture, the compressed one below that. */
function isBeside(infoTopic: string, pictureTopic: string): boolean {
  return pictureTopic.startsWith(infoTopic.replace(/[^/]+$/, ''));
}

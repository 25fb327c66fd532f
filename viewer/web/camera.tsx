import { useEffect, useRef, useState } from 'preact/hooks';
import type { StreamFacts } from '../api.ts';
import { decoderOf } from './decoders.ts';
import { pictureOf } from './picture.ts';
import type { LiveMessage, Replay } from './replay.ts';
import { useReplay } from './use-replay.ts';

/** Without a rate in the contract a picture older than this is called old, seconds. */
const OLD_SECS = 0.5;

/** One camera: the picture that holds at the instant shown, and how old it is when it is too old. */
export function Camera({ replay, stream }: { replay: Replay; stream: StreamFacts }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [pictureTime, setPictureTime] = useState<bigint>();
  const [fault, setFault] = useState('');
  const name = stream.name ?? stream.topic;

  useEffect(() => {
    const channel = replay.state.channels.find(({ topic }) => topic === stream.topic);
    const decode = channel && decoderOf(channel);
    if (!decode) {
      setFault('cannot be decoded');
      return;
    }
    let newest: LiveMessage | undefined;
    let busy = false;
    const drawNewest = async () => {
      busy = true;
      while (newest) {
        const message = newest;
        newest = undefined;
        try {
          const picture = await pictureOf(decode(message.payload));
          draw(canvas.current, picture);
          picture.close();
          setPictureTime(message.logTime);
          setFault('');
        } catch (error) {
          setFault(error instanceof Error ? error.message : String(error));
        }
      }
      busy = false;
    };
    return replay.onMessage(stream.topic, (message) => {
      newest = message;
      if (!busy) void drawNewest();
    });
  }, [replay, stream.topic]);

  const rate = stream.expectedRateHz ?? stream.rateHz;
  const oldSecs = rate ? 3 / rate : OLD_SECS;
  // Tenths of a second, so that the figure is drawn again no oftener than can be read.
  const oldText = useReplay(replay, ({ time }) => {
    const ageSecs = pictureTime === undefined ? 0 : Number(time - pictureTime) / 1e9;
    return ageSecs > oldSecs ? `no picture for ${ageSecs.toFixed(1)} s` : '';
  });
  return (
    <figure class={oldText ? 'camera old' : 'camera'}>
      <canvas ref={canvas} role="img" aria-label={`Camera ${name}`} />
      <figcaption>
        <span>{name}</span>
        {fault && <strong class="loss">{fault}</strong>}
        {oldText && <strong class="loss">{oldText}</strong>}
      </figcaption>
    </figure>
  );
}

function draw(canvas: HTMLCanvasElement | null, picture: ImageBitmap): void {
  if (!canvas) return;
  if (canvas.width !== picture.width) canvas.width = picture.width;
  if (canvas.height !== picture.height) canvas.height = picture.height;
  canvas.getContext('2d')?.drawImage(picture, 0, 0);
}

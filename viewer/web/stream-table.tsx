import type { RecordingNow } from '../api.ts';
import { formatBytes, formatCount, formatRate } from './format.ts';

type Stream = RecordingNow['streams'][number];

/** Every stream with its rate against the contract; red while something is wrong with it. */
export function StreamTable({ streams }: { streams: readonly Stream[] }) {
  return (
    <table class="streams">
      <caption>Streams</caption>
      <thead>
        <tr>
          <th scope="col">stream</th>
          <th scope="col">Hz</th>
          <th scope="col">lost</th>
          <th scope="col">silent</th>
          <th scope="col">size</th>
        </tr>
      </thead>
      <tbody>
        {streams.map((stream) => (
          <StreamRow key={stream.topic} stream={stream} />
        ))}
      </tbody>
    </table>
  );
}

function StreamRow({ stream }: { stream: Stream }) {
  const { topic, received, lost, rateHz, expectedRateHz, silentSecs, bytes, troubled } = stream;
  return (
    <tr class={troubled ? 'troubled' : ''}>
      <th scope="row" title={topic}>
        {troubled && (
          <span role="img" aria-label="in trouble: ">
            ▲
          </span>
        )}{' '}
        <Name text={streamName(stream)} />
      </th>
      <td>
        {formatRate(rateHz)}
        {expectedRateHz !== undefined && <small> / {expectedRateHz}</small>}
      </td>
      <td>{formatCount(lost)}</td>
      <td>{received === 0 ? 'never' : `${silentSecs.toFixed(1)} s`}</td>
      <td>{formatBytes(bytes)}</td>
    </tr>
  );
}

/** Breaks where words end, if it has to. */
function Name({ text }: { text: string }) {
  return text.split(/(?<=[_/])/).map((part) => (
    <>
      {part}
      <wbr />
    </>
  ));
}

/** Its name in the contract, or its topic. */
export function streamName({ stream, topic }: Stream): string {
  return stream ?? topic;
}

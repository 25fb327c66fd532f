import type { RecordingNow } from '../api.ts';
import { formatBytes, formatCount, formatRate } from './format.ts';
import './stream-table.css';

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
          <th scope="col">
            <abbr title="largest time without a message">gap</abbr>
          </th>
          <th scope="col">
            <abbr title="of the last message when it arrived">age</abbr>
          </th>
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

/** What an operator can look for. */
const TROUBLES: Readonly<Record<NonNullable<Stream['trouble']>, string>> = {
  silent: 'silent',
  lossy: 'loses',
  slow: 'too slow',
  runaway: 'clock runs away',
};

function secsText(secs: number): string {
  return Math.abs(secs) < 1 ? `${Math.round(secs * 1000)} ms` : `${secs.toFixed(1)} s`;
}

function StreamRow({ stream }: { stream: Stream }) {
  const { topic, received, lost, rateHz, expectedRateHz, largestGapSecs, ageSecs, bytes, trouble } = stream;
  return (
    <tr class={trouble ? 'troubled' : ''}>
      <th scope="row" title={topic}>
        {trouble && (
          <span role="img" aria-label="in trouble: ">
            ▲
          </span>
        )}{' '}
        <Name text={streamName(stream)} />
        {trouble && <small class="trouble"> {TROUBLES[trouble]}</small>}
      </th>
      <td>
        {formatRate(rateHz)}
        {expectedRateHz !== undefined && <small> / {expectedRateHz}</small>}
      </td>
      <td class={lost > 0 ? 'loss' : ''}>{formatCount(lost)}</td>
      <td>{received === 0 ? 'never' : secsText(largestGapSecs)}</td>
      <td>{ageSecs === undefined ? '' : secsText(ageSecs)}</td>
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

/** What is wrong with it, in words; empty while all is well. */
export function streamTrouble(stream: Stream): string {
  return stream.trouble ? `${streamName(stream)} ${TROUBLES[stream.trouble]}` : '';
}

/** Its name in the contract, or its topic. */
export function streamName({ stream, topic }: Stream): string {
  return stream ?? topic;
}

import type { Finding } from '../../../schemas/finding.ts';
import { encodeJpeg } from '../../../schemas/image-codec.ts';
import { nanosToSecs } from '../../../schemas/time.ts';
import type { CheckedEpisode } from '../check-episode.ts';
import { isWrench } from '../interaction/wrench.ts';
import { reasonsOf } from '../verdict.ts';
import {
  type EpisodeRecord,
  type RecordedPicture,
  type RecordedStream,
  STEP_SECS,
} from './episode-record.ts';
import { escapeHtml, type PlotOptions, plot } from './plots.ts';

/** Pictures of a camera over the whole episode. */
const STRIP_PICTURES = 10;
/** More lines would hide each other. */
const MOST_CURVES = 8;

/** One episode of the report: verdict, findings with pictures of their moment, and how its streams went. */
export async function episodeSection(episode: CheckedEpisode, record: EpisodeRecord): Promise<string> {
  const { id, verdict, durationSecs, info, findings, startTime } = episode;
  const shown = reasonsOf(findings).concat(findings.filter(({ status }) => status === 'info'));
  const rows = await Promise.all(shown.map((finding) => findingRow(finding, { startTime, record })));
  const rest = (status: Finding['status']) => findings.filter((finding) => finding.status === status);
  const notAssessed = rest('not_assessed');
  const told = info
    ? `“${escapeHtml(info.task)}” · ${escapeHtml(info.operator)} · ${escapeHtml(info.robot)} · `
    : '';
  return `<section id="${escapeHtml(id)}">
<h2><span class="verdict ${verdict}">${verdict}</span> ${escapeHtml(id)}</h2>
<p>${told}${durationSecs.toFixed(1)} s · ${findings.length - notAssessed.length} of ${findings.length} findings graded</p>
${rows.length > 0 ? `<table><thead><tr><th>check<th>stream<th>what<th>value<th>limit<th>at<th>the moment</tr></thead><tbody>${rows.join('\n')}</tbody></table>` : '<p>Nothing to look at.</p>'}
<h3>Cameras</h3>${(await Promise.all(record.streams.map(strip))).join('')}
<h3>Motion and forces</h3>${motionPlots(episode, record)}
<h3>Streams</h3>${streamPlots(episode, record)}
${folded(`${notAssessed.length} findings were not assessed`, notAssessed)}
${folded(`${rest('pass').length} findings passed`, rest('pass'))}
</section>`;
}

interface RowContext {
  readonly startTime: bigint;
  readonly record: EpisodeRecord;
}

async function findingRow(finding: Finding, { startTime, record }: RowContext): Promise<string> {
  const { check, status, claim, stream, channel, value, unit, limit, limitOrigin, window, reason } = finding;
  const secs = window && nanosToSecs(window.startTime - startTime);
  const cells = [
    `<td title="${claim}"><b class="${status}">${check}</b></td>`,
    `<td>${escapeHtml([stream, channel].filter(Boolean).join(' '))}</td>`,
    `<td>${escapeHtml(reason)}</td>`,
    `<td class="n">${value === undefined ? '' : `${figure(value)} ${escapeHtml(unit)}`}</td>`,
    `<td class="n">${limit === undefined ? '' : figure(limit)}${limitOrigin === 'own' ? ' <small title="a limit of this project’s own, not validated on a real robot">unvalidated</small>' : ''}</td>`,
    `<td class="n">${secs === undefined ? '' : `${secs.toFixed(2)} s`}</td>`,
    `<td>${secs === undefined ? '' : await moment(secs, record, stream)}</td>`,
  ];
  return `<tr>${cells.join('')}</tr>`;
}

/** What the cameras saw then; of a camera's own finding that camera alone. */
async function moment(secs: number, record: EpisodeRecord, stream: string | undefined): Promise<string> {
  const cameras = record.streams.filter(({ pictures }) => pictures.length > 0);
  const own = cameras.filter((camera) => camera.stream.name === stream);
  const pictures = (own.length > 0 ? own : cameras).map(({ pictures: all, stream: { name } }) => {
    const nearest = all.reduce((best, each) =>
      Math.abs(each.secs - secs) < Math.abs(best.secs - secs) ? each : best,
    );
    return image(nearest, `${name} at ${nearest.secs.toFixed(1)} s`);
  });
  return (await Promise.all(pictures)).join('');
}

async function strip({ stream, pictures }: RecordedStream): Promise<string> {
  if (pictures.length === 0) return '';
  const step = Math.max(1, pictures.length / STRIP_PICTURES);
  const picked = Array.from(
    { length: Math.min(STRIP_PICTURES, pictures.length) },
    (_, i) => pictures[Math.floor(i * step)]!,
  );
  const images = await Promise.all(picked.map((each) => image(each, `${each.secs.toFixed(1)} s`)));
  return `<figure><figcaption>${escapeHtml(stream.name)}</figcaption><div class="strip">${images.join('')}</div></figure>`;
}

async function image({ luma, width, height }: RecordedPicture, title: string): Promise<string> {
  const pixels = new Uint8Array(luma.length * 3);
  for (let i = 0; i < luma.length; i++) pixels.fill(luma[i]!, 3 * i, 3 * i + 3);
  const jpeg = await encodeJpeg({ pixels, width, height }, 70);
  const data = Buffer.from(jpeg).toString('base64');
  return `<img src="data:image/jpeg;base64,${data}" width="${width}" height="${height}" title="${escapeHtml(title)}" alt="${escapeHtml(title)}">`;
}

function motionPlots(episode: CheckedEpisode, record: EpisodeRecord): string {
  return record.streams
    .filter(({ curves }) => curves.size > 0)
    .map(({ stream, curves }) => {
      const shown = [...curves].slice(0, MOST_CURVES).map(([name, points]) => ({ name, points }));
      const unit = isWrench(stream) ? 'N' : 'rad, m';
      return plot(shown, { title: stream.name, unit, ...timesOf(episode, stream.name) });
    })
    .join('');
}

function streamPlots(episode: CheckedEpisode, record: EpisodeRecord): string {
  return record.streams
    .filter(({ stream }) => stream.contract?.rateHz !== undefined || !episode.contract)
    .map(({ stream, steps }) => {
      const rates = { name: 'rate', points: steps.map(({ messages }) => messages / STEP_SECS).slice(0, -1) };
      const expected = stream.contract?.rateHz;
      const reference = expected
        ? [{ name: 'contract', points: steps.map(() => expected), isReference: true }]
        : [];
      const times = timesOf(episode, stream.name);
      const delays = [
        { name: 'slowest', points: steps.map(({ mostDelay }) => mostDelay) },
        { name: 'fastest', points: steps.map(({ leastDelay }) => leastDelay), isReference: true },
      ];
      return (
        plot([...reference, rates], {
          title: `${stream.name}: messages per second`,
          unit: 'Hz',
          fromZero: true,
          ...times,
        }) + plot(delays, { title: `${stream.name}: receipt after stamp`, unit: 'ms', ...times })
      );
    })
    .join('');
}

function timesOf(
  { startTime, durationSecs, findings }: CheckedEpisode,
  name: string,
): Pick<PlotOptions, 'stepSecs' | 'durationSecs' | 'marks'> {
  const marks = findings.flatMap(({ stream, status, window, check, reason }) =>
    stream === name && window && (status === 'fail' || status === 'warn')
      ? [
          {
            from: nanosToSecs(window.startTime - startTime),
            to: nanosToSecs(window.endTime - startTime),
            text: `${check}: ${reason}`,
          },
        ]
      : [],
  );
  return { stepSecs: STEP_SECS, durationSecs, marks };
}

function folded(title: string, findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  const items = findings.map(
    ({ check, stream, channel, reason }) =>
      `<li><b>${check}</b> ${escapeHtml([stream, channel].filter(Boolean).join(' '))} ${escapeHtml(reason)}</li>`,
  );
  return `<details><summary>${title}</summary><ul>${items.join('')}</ul></details>`;
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

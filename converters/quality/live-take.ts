import { access } from 'node:fs/promises';
import type { Calibration } from '../../schemas/calibration.ts';
import type { Contract } from '../../schemas/contract.ts';
import type { EpisodeInfo } from '../../schemas/episode.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { fileDigest } from '../../schemas/file-digest.ts';
import type { Finding } from '../../schemas/finding.ts';
import { writeFindings } from '../../schemas/findings-file.ts';
import type { ChannelSpec } from '../../schemas/message.ts';
import type { TakeFindings } from '../../schemas/message-observer.ts';
import type { TimedEvent } from '../../schemas/pause-spans.ts';
import type { Check } from './check.ts';
import { factsOf } from './check-episode.ts';
import type { EpisodeFacts } from './episode-facts.ts';
import { Examination } from './examination.ts';
import { Feed } from './feed.ts';
import { limitsDigest } from './limits-digest.ts';
import type { SampledMessage } from './observations.ts';
import type { CheckedStream } from './subject.ts';
import { reasonsOf, reasonTexts, unchecked, verdictOf } from './verdict.ts';

export interface LiveTakeOptions {
  readonly contract: Contract;
  readonly calibration: Calibration | undefined;
  readonly info: EpisodeInfo;
  readonly firstTime: bigint;
  readonly version: string;
}

/** One take under all checks while it is recorded; at its end only what needs the file is still to do. */
export class LiveTake {
  readonly #checks: readonly Check[];
  readonly #options: LiveTakeOptions;
  readonly #examination: Examination;
  readonly #feed: Feed;
  readonly #liveIds: ReadonlySet<string>;
  readonly #events: TimedEvent[] = [];
  #result: (TakeFindings & { readonly file: string }) | undefined;

  constructor(checks: readonly Check[], options: LiveTakeOptions) {
    const { contract, calibration, info, firstTime } = options;
    const streams: CheckedStream[] = [];
    this.#checks = checks;
    this.#options = options;
    this.#liveIds = new Set(checks.flatMap(({ id, runs }) => (runs === 'live' ? [id] : [])));
    const subject = {
      ...{ contract, calibration, startTime: firstTime, streams },
      ...{ events: this.#events, task: info.task },
    };
    this.#examination = new Examination(checks, subject);
    this.#feed = new Feed(this.#examination, { streams, contract });
  }

  channel(key: number, spec: ChannelSpec): void {
    this.#feed.channel(key, spec);
  }

  message(key: number, message: SampledMessage): Promise<void> | undefined {
    return this.#feed.message(key, message);
  }

  refused(key: number, logTime: bigint): void {
    this.#feed.refused(key, logTime);
  }

  event(event: TimedEvent): void {
    this.#events.push(event);
  }

  /** What is wrong at an instant, in words, the gravest first. */
  async current(now: bigint): Promise<string[]> {
    await this.#feed.flush();
    const grave = this.#examination.findings(now).filter((finding) => this.#isGrave(finding));
    const reasons = reasonsOf(grave);
    return reasonTexts(reasons, this.#options.firstTime, { most: reasons.length });
  }

  /** @param unseen messages that were not shown to the checks, which could not keep up. */
  async end({
    endTime,
    file,
    unseen,
  }: {
    readonly endTime: bigint;
    readonly file: string | undefined;
    readonly unseen: number;
  }): Promise<TakeFindings | undefined> {
    await this.#feed.flush();
    if (file === undefined) return undefined;
    // What was not seen would be taken for lost.
    if (unseen > 0) return unchecked(`the checks could not keep up and did not see ${unseen} messages`);
    const { contract, info, firstTime } = this.#options;
    await using reader = await EpisodeReader.open(file);
    const facts: EpisodeFacts = {
      ...(await factsOf(reader, contract)),
      info,
      content: undefined,
      peers: [],
    };
    const findings = this.#examination.findings(endTime, facts);
    const waived = new Set(facts.labels.waivers.map(({ label }) => label.finding));
    const reasons = reasonTexts(reasonsOf(findings, waived), firstTime);
    this.#result = { verdict: verdictOf(findings, waived), reasons, findings, file };
    const { verdict } = this.#result;
    return { verdict, reasons, findings };
  }

  /** Puts the findings beside the episode, unless it has been discarded meanwhile. */
  async store(): Promise<void> {
    if (!this.#result) return;
    const { file, verdict, reasons, findings } = this.#result;
    const { contract, calibration, version } = this.#options;
    const digest = await fileDigest(file).catch(() => undefined);
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (digest === undefined || !isThere) return;
    await writeFindings(file, {
      kinescribe: 1,
      episodeDigest: digest,
      limitsDigest: limitsDigest(this.#checks, contract, calibration),
      version,
      verdict,
      reasons: [...reasons],
      findings: [...findings],
    });
  }

  #isGrave({ check, claim, status }: Finding): boolean {
    return this.#liveIds.has(check) && (status === 'fail' || (status === 'warn' && claim === 'DEFECT'));
  }
}

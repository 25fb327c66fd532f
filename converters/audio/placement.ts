/** The samples of one message. */
export interface Chunk {
  /** Instant of its first sample, nanoseconds after any origin; undefined where its stamp is known to be wrong. */
  readonly nanos: number | undefined;
  /** Samples of each channel. */
  readonly samples: number;
}

/** Where the samples of one message lie. */
export interface PlacedChunk {
  /** Place of its first sample that counts, in samples after the origin; negative before it. */
  readonly at: number;
  /** Samples at its start that do not count, because others have their place already. */
  readonly skipped: number;
  readonly samples: number;
}

export interface Placement {
  /** One per chunk. */
  readonly chunks: readonly PlacedChunk[];
  /** How far the stamps moved away from the sample clock, without a gap, at most; seconds. */
  readonly driftSecs: number;
}

/** No queue holds audio back for so long: stamps that go back further are of a clock that was set. */
const MAX_DELAY_NANOS = 1e9;

/** Of a sound card's clock against another: crystals are better by an order of magnitude. */
const MAX_DRIFT = 5e-4;
/** Chunks that tell how much was lost, where all of them say the same; fewer may all be late. */
const AGREEING_CHUNKS = 8;
/** Of a chunk: a rise that so many agree on is no jitter. */
const AGREED_SHARE = 0.25;
/** Of a chunk: a rise that fewer say, of as many whole chunks as it is at least. */
const LOST_SHARE = 0.75;

/**
 * Puts chunks on one line of samples. Stamps are late by what transport and scheduler add, never early, so a chunk
 * follows the one before unless all later ones agree that something lies between: samples were lost where the least
 * delay of all that follows rises. Where that says nothing, no sample is moved, doubled or left out, however its stamp
 * jitters.
 *
 * @param chunks in order.
 */
export function placeChunks(chunks: readonly Chunk[], sampleRateHz: number): Placement {
  const nanosPerSample = 1e9 / sampleRateHz;
  const before = samplesBefore(chunks);
  const leads = leastLeads(chunks, (i) => before[i]! * nanosPerSample);
  const placed: PlacedChunk[] = [];
  let run = { start: 0, lead: 0, from: 0 };
  let [expected, lasted, end, drift] = [0, 0, Number.NEGATIVE_INFINITY, 0];
  for (const [i, { samples }] of chunks.entries()) {
    const lead = leads[i]!;
    expected = Math.min(lead, expected + MAX_DRIFT * lasted);
    const begins = before[i] === 0 || lead < leads[i - 1]!;
    const later = leads[i + AGREEING_CHUNKS];
    const isAgreed = later !== undefined && later - lead < lasted / 10;
    const rise = (lead - expected) / lasted;
    // Stamps are never early, so that what is more than whole chunks is lateness.
    const lost = isAgreed ? (rise > AGREED_SHARE ? rise : 0) : Math.floor(rise + 1 - LOST_SHARE);
    if (begins || lost > 0) {
      expected = begins ? lead : expected + lost * lasted;
      const start = Math.round(expected / nanosPerSample + before[i]!);
      run = { start, lead: expected, from: before[i]! };
    }
    drift = Math.max(drift, lead - run.lead);
    const start = run.start + before[i]! - run.from;
    const skipped = Math.min(samples, Math.max(0, end - start));
    placed.push({ at: start + skipped, skipped, samples: samples - skipped });
    end = Math.max(end, start + samples);
    if (samples > 0) lasted = samples * nanosPerSample;
  }
  return { chunks: placed, driftSecs: drift / 1e9 };
}

function samplesBefore(chunks: readonly Chunk[]): Float64Array {
  const before = new Float64Array(chunks.length);
  for (let i = 1; i < chunks.length; i++) before[i] = before[i - 1]! + chunks[i - 1]!.samples;
  return before;
}

/**
 * By how much each chunk is stamped after the samples before it are over: the least that any later chunk says too,
 * up to the next step back of the clock.
 */
function leastLeads(chunks: readonly Chunk[], nanosBefore: (index: number) => number): Float64Array {
  const leads = new Float64Array(chunks.length);
  let [least, later] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = chunks.length - 1; i >= 0; i--) {
    const { nanos, samples } = chunks[i]!;
    if (nanos !== undefined && samples > 0) {
      if (nanos - later > MAX_DELAY_NANOS) least = Number.POSITIVE_INFINITY;
      least = Math.min(least, nanos - nanosBefore(i));
      later = nanos;
    }
    leads[i] = least;
  }
  // The last ones may have no stamp that counts: they follow those before, and without any all begin at the origin.
  for (let i = 0; i < leads.length; i++) {
    if (leads[i] === Number.POSITIVE_INFINITY) leads[i] = leads[i - 1] ?? 0;
  }
  return leads;
}

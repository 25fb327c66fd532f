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
/** Of a chunk: where all later stamps are later by so much, one was lost; they are no queue that empties. */
const LOST_SHARE = 0.75;

/**
 * Puts chunks on one line of samples. Stamps are late by what transport and scheduler add, never early, so a chunk
 * follows the one before unless all later ones agree that something lies between: samples were lost where the least
 * delay of all that follows rises by most of a chunk. Where that says nothing, no sample is moved, doubled or left
 * out, however its stamp jitters.
 *
 * @param chunks in order.
 */
export function placeChunks(chunks: readonly Chunk[], sampleRateHz: number): Placement {
  const nanosPerSample = 1e9 / sampleRateHz;
  const before = samplesBefore(chunks);
  const leads = leastLeads(chunks, (i) => before[i]! * nanosPerSample);
  const placed: PlacedChunk[] = [];
  let run = { start: 0, lead: 0, from: 0 };
  let [expected, end, drift] = [0, Number.NEGATIVE_INFINITY, 0];
  for (const [i, { samples }] of chunks.entries()) {
    const lead = leads[i]!;
    const lasted = (chunks[i - 1]?.samples ?? 0) * nanosPerSample;
    expected = Math.min(lead, expected + MAX_DRIFT * lasted);
    const isSetBack = i > 0 && lead < leads[i - 1]!;
    if (i === 0 || isSetBack || lead - expected > LOST_SHARE * lasted) {
      run = { start: Math.round(lead / nanosPerSample + before[i]!), lead, from: before[i]! };
      expected = lead;
    }
    drift = Math.max(drift, lead - run.lead);
    const start = run.start + before[i]! - run.from;
    const skipped = Math.min(samples, Math.max(0, end - start));
    placed.push({ at: start + skipped, skipped, samples: samples - skipped });
    end = Math.max(end, start + samples);
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
    const { nanos } = chunks[i]!;
    if (nanos !== undefined) {
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

import { isDeepStrictEqual } from 'node:util';
import { decodeChannel, decodeSchema, type RawRecord } from './mcap-decode.ts';
import { type ChannelRecord, OPCODE, type SchemaRecord } from './mcap-format.ts';

interface Known<T> {
  readonly record: T;
  /** Whether a CRC vouched for it. */
  readonly isVerified: boolean;
}

/** The schemas and channels of a damaged file; where two copies differ, the one under a CRC holds. */
export class RecoveredChannels {
  readonly #schemas = new Map<number, Known<SchemaRecord>>();
  readonly #channels = new Map<number, Known<ChannelRecord>>();
  readonly #writtenSchemas = new Set<number>();
  readonly #writtenChannels = new Set<number>();

  /**
   * Takes a schema or a channel record.
   *
   * @returns whether it agrees with what is known; what disagrees is not taken.
   */
  take(record: RawRecord, isVerified: boolean): boolean {
    if (record.opcode === OPCODE.schema) {
      return remember(this.#schemas, this.#writtenSchemas, decodeSchema(record), isVerified);
    }
    return remember(this.#channels, this.#writtenChannels, decodeChannel(record), isVerified);
  }

  has(channelId: number): boolean {
    return this.#channels.has(channelId);
  }

  /** A name for people also where the channel's definition is lost. */
  topic(channelId: number): string {
    return this.#channels.get(channelId)?.record.topic ?? `(channel ${channelId})`;
  }

  get topics(): ReadonlySet<string> {
    return new Set(this.#channels.values().map(({ record }) => record.topic));
  }

  /** The definitions that these channels need and the file has not got yet; they count as written then. */
  toWrite(channelIds: Iterable<number> = this.#channels.keys()): {
    schemas: readonly SchemaRecord[];
    channels: readonly ChannelRecord[];
  } {
    const schemas: SchemaRecord[] = [];
    const channels: ChannelRecord[] = [];
    for (const id of channelIds) {
      const channel = this.#channels.get(id)?.record;
      if (!channel || this.#writtenChannels.has(id)) continue;
      this.#writtenChannels.add(id);
      channels.push(channel);
      const { schemaId } = channel;
      if (schemaId === 0 || this.#writtenSchemas.has(schemaId)) continue;
      this.#writtenSchemas.add(schemaId);
      // An empty encoding says that there is no schema: the messages stay, though nobody can decode them.
      const lost = { id: schemaId, name: '', encoding: '', data: new Uint8Array() };
      schemas.push(this.#schemas.get(schemaId)?.record ?? lost);
    }
    return { schemas, channels };
  }
}

function remember<T extends { readonly id: number }>(
  known: Map<number, Known<T>>,
  written: ReadonlySet<number>,
  record: T,
  isVerified: boolean,
): boolean {
  const before = known.get(record.id);
  if (before && isDeepStrictEqual(before.record, record)) return true;
  if (before && (before.isVerified || !isVerified || written.has(record.id))) return false;
  known.set(record.id, { record, isVerified });
  return true;
}

import type { EpisodeReader } from '../schemas/episode-reader.ts';

/** Meshes of an arm have a few megabytes; a client that asks for more wants something else. */
const MAX_ASSET_BYTES = 64 << 20;

/**
 * The attachment of an episode that a client means by `package://arm/meshes/link1.stl`, `file:///…` or a plain
 * name: the one of this name, of this path, or whose name is its end. Nothing outside the episode can be named.
 *
 * @throws {RangeError} when there is none, or it is too big to be sent at once.
 */
export async function fetchAsset(
  reader: Pick<EpisodeReader, 'attachmentIndexes' | 'attachments' | 'file'>,
  uri: string,
): Promise<Uint8Array> {
  const path = uri.replace(/^[a-z]+:\/{2,3}/, '');
  const names = reader.attachmentIndexes.map(({ name }) => name);
  const name =
    names.find((each) => each === uri || each === path) ?? names.find((each) => path.endsWith(`/${each}`));
  const place = reader.attachmentIndexes.find((each) => each.name === name);
  if (!place) {
    throw new RangeError(
      `The episode has no attachment for "${uri}"; it has ${names.join(', ') || 'none at all'}`,
    );
  }
  if (place.dataBytes > MAX_ASSET_BYTES) {
    throw new RangeError(
      `"${name}" has ${place.dataBytes} bytes, more than the ${MAX_ASSET_BYTES} that are sent`,
    );
  }
  for await (const attachment of reader.attachments()) if (attachment.name === name) return attachment.data;
  throw new RangeError(`"${name}" is in the summary of "${reader.file}" and nowhere else`);
}

import type { ManifestEpisode } from '../schemas/dataset-manifest.ts';

/** What became of cameras that were recorded as video: copied or encoded anew and why, and pictures that cannot be shown. */
export function videoLines(episodes: readonly ManifestEpisode[]): readonly string[] {
  const made = episodes.flatMap(({ id, videos = [] }) => videos.map((video) => ({ id, ...video })));
  const lines = [...Map.groupBy(made, ({ feature }) => feature)].map(([feature, videos]) => {
    const copied = videos.filter((video) => video.made === 'copied').length;
    return `  VIDEO "${feature}": copied as it was recorded in ${copied} of ${videos.length} episodes`;
  });
  for (const { id, feature, made: how, reason } of made) {
    if (how === 'encoded') lines.push(`  VIDEO ${id}, "${feature}": encoded anew, because ${reason}`);
  }
  for (const { id, unusablePictures = [] } of episodes) {
    for (const { stream, unbegun, broken } of unusablePictures) {
      const said = [
        ...(unbegun > 0 ? [`${unbegun} pictures before the first keyframe`] : []),
        ...(broken > 0 ? [`${broken} pictures after a lost one, up to the next keyframe,`] : []),
      ];
      lines.push(`  UNUSABLE ${id}, stream "${stream}": ${said.join(' and ')} are in no frame`);
    }
  }
  return lines;
}

import type { StreamFeature } from '../../schemas/contract.ts';
import { readContract } from '../../schemas/contract-file.ts';

/** `kinescribe contract check`: says what a contract asks for, or every rule it breaks with its line. */
export async function contractCheck(files: readonly string[]): Promise<number> {
  for (const file of files) {
    const { contract, digest } = await readContract(file);
    const streams = Object.entries(contract.streams);
    const features = Object.entries(contract.features);
    console.log(
      `${file}: contract "${contract.name}" for ${contract.robot.model} is sound (${digest.slice(0, 19)}…)`,
    );
    for (const [name, { topic, role, type, rateHz }] of streams) {
      console.log(
        `  stream  ${name}: ${topic} ${type}, ${role}${rateHz === undefined ? '' : `, ${rateHz} Hz`}`,
      );
    }
    for (const [key, feature] of features) {
      const source =
        feature.kind === 'outcome'
          ? `${feature.value} from the label of the episode`
          : `${sizeText(feature)} from "${feature.stream}", ${feature.align} within ${feature.toleranceSecs} s`;
      console.log(`  feature ${key}: ${source}`);
    }
    const { tickRateHz, clock, observationSteps, horizon } = contract.samples;
    console.log(
      `  samples ${tickRateHz} Hz on the ${clock} clock, ${observationSteps} observed, horizon ${horizon}`,
    );
  }
  return 0;
}

function sizeText(feature: StreamFeature): string {
  switch (feature.kind) {
    case 'vector':
      return feature.shape.join('×');
    case 'image':
      return `${feature.height}×${feature.width}×3`;
    case 'depth':
      return `depth ${feature.height}×${feature.width}`;
    case 'points':
      return `${feature.count} points of ${feature.fields.join(', ')}`;
    case 'text':
      return 'text';
    default:
      throw feature satisfies never;
  }
}

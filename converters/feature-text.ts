import type { TextFeature } from '../schemas/contract.ts';
import { ConvertError, sentence } from '../schemas/errors.ts';
import type { Choice } from './align.ts';
import type { Sample } from './align-streams.ts';
import { PickFault, pickText } from './feature-pick.ts';
import { checkedPath, type FeatureOrigin } from './feature-vector.ts';
import type { TextValue } from './frame.ts';

/** Makes the text of one feature from the messages chosen for it. */
export class TextReader {
  readonly #feature: TextFeature;
  readonly #origin: FeatureOrigin;

  constructor(feature: TextFeature, origin: FeatureOrigin) {
    this.#feature = feature;
    this.#origin = origin;
  }

  /** @throws {ConvertError} when the message holds no text there. */
  read({ valid, ageNanos, value }: Choice<Sample>): TextValue {
    const feature = this.#feature;
    const timing = { kind: 'text', feature, valid, ageNanos } as const;
    if (!value) return { ...timing, text: '' };
    try {
      return { ...timing, text: pickText(value.value, checkedPath(feature.field)) };
    } catch (error) {
      if (!(error instanceof PickFault)) throw error;
      const { key, topic, file } = this.#origin;
      throw new ConvertError(
        `Cannot make feature "${key}" of "${file}": in the "${value.channel.type}" on "${topic}" ${sentence(error.message)} ` +
          "Correct the feature's field in the contract.",
        { cause: error, contractPath: ['features', key, 'field'] },
      );
    }
  }
}
